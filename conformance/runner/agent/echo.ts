// The servers of a case: one answers at every address and port of its namespace, as the case says, and
// remembers what it saw.
import http from 'node:http';
import http2 from 'node:http2';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import tls, { type TLSSocket } from 'node:tls';
import type { Behaviour } from '../case.ts';
import type { Hit } from '../outcome.ts';
import type { EchoSpec } from './calls.ts';
import { Resolver } from './resolver.ts';

type AnyRequest = http.IncomingMessage | http2.Http2ServerRequest;
type AnyResponse = http.ServerResponse | http2.Http2ServerResponse;

const protocols = ['h2', 'http/1.1', 'istio-h2', 'istio-http/1.1', 'istio', 'istio-peer-exchange'];
const http2Protocols: ReadonlySet<string> = new Set(['h2', 'istio-h2']);
const bodyLimit = 2000;
const firstBytesLimit = 200;
const tlsHandshake = 0x16;

export class Echo {
  readonly #spec: EchoSpec;
  readonly #hits: Hit[] = [];
  /** How often each address was asked. */
  readonly #counts = new Map<string, number>();
  readonly #listeners: net.Server[] = [];
  readonly #sockets = new Set<net.Socket>();
  readonly #http1 = http.createServer({ keepAliveTimeout: 60_000 });
  readonly #http2 = http2.createServer();
  readonly #tls: tls.Server | undefined;
  #resolver: Resolver | undefined;

  private constructor(spec: EchoSpec) {
    this.#spec = spec;
    this.#http1.on('request', (request, response) => void this.#onRequest(request, response, 'http/1.1'));
    this.#http1.on('upgrade', (request, socket) => this.#onUpgrade(request, socket as net.Socket));
    this.#http1.on('clientError', (_error, socket) => socket.destroy());
    this.#http2.on('request', (request, response) => void this.#onRequest(request, response, 'h2'));
    this.#http2.on('sessionError', () => undefined);
    this.#tls = spec.tls && this.#tlsServer(spec.tls);
  }

  static async start(spec: EchoSpec): Promise<Echo> {
    const echo = new Echo(spec);
    await Promise.all(spec.ports.map((port) => echo.#listen(port)));
    if (spec.dns) echo.#resolver = await Resolver.start(spec.dns);
    return echo;
  }

  reset(): void {
    this.#hits.length = 0;
    this.#counts.clear();
  }

  take(): readonly Hit[] {
    return this.#hits.splice(0);
  }

  async stop(): Promise<void> {
    const closed = this.#listeners.map((listener) => new Promise((resolve) => listener.close(resolve)));
    for (const socket of this.#sockets) socket.destroy();
    await Promise.all([...closed, this.#resolver?.stop()]);
  }

  #listen(port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const listener = net.createServer((socket) => this.#onConnection(socket, port));
      listener.once('error', reject);
      listener.listen(port, '0.0.0.0', 1024, () => resolve());
      this.#listeners.push(listener);
    });
  }

  #tlsServer({ cert, key, ca }: NonNullable<EchoSpec['tls']>): tls.Server {
    const server = tls.createServer({
      cert,
      key,
      ca,
      requestCert: true,
      rejectUnauthorized: false,
      ALPNProtocols: protocols,
    });
    server.on('secureConnection', (socket: TLSSocket) => {
      (http2Protocols.has(String(socket.alpnProtocol)) ? this.#http2 : this.#http1).emit(
        'connection',
        socket,
      );
    });
    server.on('tlsClientError', () => undefined);
    return server;
  }

  #behaviour(ip: string, port: number): Behaviour {
    const { behaviours } = this.#spec;
    return behaviours[`${ip}:${port}`] ?? behaviours[ip] ?? behaviours['*'] ?? {};
  }

  #onConnection(socket: net.Socket, port: number): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => undefined);
    const address = `${addressOf(socket)}:${port}`;
    const behaviour = this.#behaviour(addressOf(socket), port);
    if (behaviour.refuse) socket.resetAndDestroy();
    else if (behaviour.greet !== undefined) {
      this.#hits.push({ address, protocol: 'tcp' });
      socket.end(behaviour.greet);
    } else socket.once('readable', () => this.#onFirstBytes(socket, address, behaviour));
  }

  /** One port for every protocol: the first bytes tell which it is. */
  #onFirstBytes(socket: net.Socket, address: string, behaviour: Behaviour): void {
    const first = socket.read() as Buffer | null;
    if (!first) return;
    socket.unshift(first);
    if (first[0] === tlsHandshake) {
      if (this.#tls && !behaviour.rawTls) this.#tls.emit('connection', socket);
      else {
        this.#hits.push({ address, protocol: 'tls-raw' });
        socket.end();
      }
      return;
    }
    const text = first.toString('latin1');
    if (text.startsWith('PRI * HTTP/2')) this.#http2.emit('connection', socket);
    else if (/^[A-Z]+ \S+ HTTP\/1\.[01]\r\n/.test(text)) this.#http1.emit('connection', socket);
    else {
      this.#hits.push({ address, protocol: 'tcp', body: text.slice(0, firstBytesLimit) });
      socket.resume();
      socket.end(`tcp ${address} ${text}`);
    }
  }

  async #onRequest(request: AnyRequest, response: AnyResponse, protocol: 'http/1.1' | 'h2'): Promise<void> {
    const socket = 'stream' in request ? request.stream.session?.socket : request.socket;
    if (!socket) return;
    const [ip, port] = [addressOf(socket), socket.localPort ?? 0];
    const address = `${ip}:${port}`;
    const earlier = this.#counts.get(address) ?? 0;
    this.#counts.set(address, earlier + 1);
    const tlsState = tlsOf(socket);
    const body = await readBody(request);
    if (body === undefined) return;
    this.#hits.push({
      address,
      protocol,
      ...headOf(request),
      body: body.slice(0, bodyLimit),
      ...(tlsState ? { tls: tlsState } : {}),
    });
    await answer(request, response, { behaviour: this.#behaviour(ip, port), earlier, address });
  }

  #onUpgrade(request: http.IncomingMessage, socket: net.Socket): void {
    this.#hits.push({
      address: `${addressOf(socket)}:${socket.localPort}`,
      protocol: 'upgrade',
      ...headOf(request),
    });
    socket.on('error', () => undefined);
    socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n');
    socket.pipe(socket);
  }
}

interface Visit {
  readonly behaviour: Behaviour;
  readonly earlier: number;
  readonly address: string;
}

async function answer(
  request: AnyRequest,
  response: AnyResponse,
  { behaviour, earlier, address }: Visit,
): Promise<void> {
  if (behaviour.delayMs) await pause(behaviour.delayMs);
  if (behaviour.reset) {
    if ('stream' in request) request.stream.close(http2.constants.NGHTTP2_INTERNAL_ERROR);
    else request.socket.destroy();
    return;
  }
  const { status = 200, statuses, headers = {} } = behaviour;
  const code = statuses ? (statuses[Math.min(earlier, statuses.length - 1)] ?? status) : status;
  const head = { 'content-type': 'application/json', ...headers };
  const body = behaviour.body ?? JSON.stringify({ address, path: request.url });
  if (response instanceof http2.Http2ServerResponse) {
    response.writeHead(code, head);
    response.end(body);
  } else {
    response.writeHead(code, head);
    response.end(body);
  }
}

/** The body, or undefined when it did not come to its end. */
function readBody(request: AnyRequest): Promise<string | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    request.on('data', (bytes: Buffer) => chunks.push(bytes));
    request.on('end', () => resolve(Buffer.concat(chunks).toString('latin1')));
    request.on('error', () => resolve(undefined));
    request.on('close', () => resolve(undefined));
  });
}

function headOf(request: AnyRequest): Pick<Hit, 'method' | 'path' | 'host' | 'headers'> {
  const host = request.headers[':authority'] ?? request.headers.host;
  return {
    method: request.method ?? '',
    path: request.url ?? '',
    ...(host === undefined ? {} : { host: String(host) }),
    headers: { ...request.headers },
  };
}

function tlsOf(socket: net.Socket | TLSSocket): Hit['tls'] | undefined {
  // Under HTTP/2 the socket is a proxy object, which has every field: ask for the value.
  if (!(socket as TLSSocket).encrypted) return undefined;
  // Absent when the client named none, though the types say otherwise.
  const secured = socket as TLSSocket & { servername?: string | false };
  const { servername, alpnProtocol } = secured;
  const subject = secured.getPeerCertificate()?.subject?.CN;
  return {
    ...(servername ? { sni: servername } : {}),
    ...(alpnProtocol ? { alpn: alpnProtocol } : {}),
    ...(subject === undefined ? {} : { clientCert: String(subject) }),
  };
}

function addressOf(socket: net.Socket): string {
  return (socket.localAddress ?? '').replace(/^::ffff:/, '');
}
