// From an accepted socket to the filter chain that takes it: original destination, inspection, choice, TLS, then HTTP or TCP.
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { HttpConnection } from '../http/connection.ts';
import type { ConnectionInfo, ConnectionTls } from '../http/connection-info.ts';
import type { HttpEnvironment } from '../http/environment.ts';
import { type HostPort, plainIp } from '../net/address.ts';
import { adoptAccepted, SocketWire } from '../net/wire.ts';
import { TcpSession } from '../tcp/tcp-proxy.ts';
import { readClientHello } from './client-hello.ts';
import { type ConnectionFacts, chooseChain } from './filter-chain.ts';
import { guessHttp } from './http-inspector.ts';
import type { Chain, ListenerConfig } from './listener-config.ts';
import type { OriginalDestinations } from './original-destination.ts';

export interface AcceptContext {
  readonly env: HttpEnvironment;
  readonly destinations: OriginalDestinations;
  /** The listener for an address that a connection was redirected from. */
  listenerFor(destination: HostPort): ListenerConfig | undefined;
  /** Told of what lives on the connection, to drain it; called back when it is over. */
  opened(listener: ListenerConfig, session: Session): void;
  over(listener: ListenerConfig, session: Session): void;
  noChain(listener: ListenerConfig): void;
  nextId(): number;
}

export interface Session {
  /** Lets what is in progress end. */
  drain(): void;
  destroy(): void;
}

interface Sniffed {
  readonly serverName: string | undefined;
  readonly transport: 'tls' | 'raw_buffer';
  readonly protocols: readonly string[];
  /** The protocols of a TLS hello, whether or not chains may look at them. */
  readonly offered: readonly string[];
}

const unknown: Sniffed = { serverName: undefined, transport: 'raw_buffer', protocols: [], offered: [] };

/** The socket comes paused. */
export function acceptConnection(socket: net.Socket, bound: ListenerConfig, context: AcceptContext): void {
  socket.setNoDelay(true);
  const direct: HostPort = { ip: plainIp(socket.localAddress), port: socket.localPort ?? 0 };
  const destination = bound.restoresDestination ? context.destinations.of(socket) : direct;
  const listener = (bound.handsOff && context.listenerFor(destination)) || bound;
  const accepted = new Accepted(socket, listener, destination, context);
  accepted.start();
}

class Accepted implements Session {
  readonly #socket: net.Socket;
  readonly #listener: ListenerConfig;
  readonly #destination: HostPort;
  readonly #context: AcceptContext;
  #seen: Buffer | undefined;
  #timer: NodeJS.Timeout | undefined;
  readonly #onData = (chunk: Buffer): void => this.#sniff(chunk);
  readonly #onGone = (): void => this.#gone();

  constructor(socket: net.Socket, listener: ListenerConfig, destination: HostPort, context: AcceptContext) {
    this.#socket = socket;
    this.#listener = listener;
    this.#destination = destination;
    this.#context = context;
  }

  start(): void {
    const { inspectors, inspectTimeout } = this.#listener;
    const port = this.#destination.port;
    this.#context.opened(this.#listener, this);
    this.#socket.on('error', ignore);
    if (!inspectors.tls?.(port) && !inspectors.http?.(port) && !this.#listener.hasTls) {
      this.#choose(unknown);
      return;
    }
    if (inspectTimeout > 0) this.#timer = setTimeout(() => this.#expired(), inspectTimeout);
    this.#socket.on('data', this.#onData);
    this.#socket.on('end', this.#onGone);
    this.#socket.on('close', this.#onGone);
    this.#socket.resume();
  }

  drain(): void {
    this.destroy();
  }

  destroy(): void {
    clearTimeout(this.#timer);
    this.#socket.destroy();
  }

  #sniff(chunk: Buffer): void {
    this.#seen = this.#seen ? Buffer.concat([this.#seen, chunk]) : chunk;
    const result = inspect(this.#seen, this.#listener, this.#destination.port);
    if (result) this.#choose(result);
  }

  #expired(): void {
    if (!this.#listener.continueOnTimeout) {
      this.destroy();
      return;
    }
    this.#choose(unknown);
  }

  #gone(): void {
    clearTimeout(this.#timer);
    this.#context.over(this.#listener, this);
    this.#socket.destroy();
  }

  #choose(sniffed: Sniffed): void {
    clearTimeout(this.#timer);
    const socket = this.#socket;
    socket.off('data', this.#onData);
    socket.off('end', this.#onGone);
    socket.off('close', this.#onGone);
    this.#context.over(this.#listener, this);
    const facts: ConnectionFacts = {
      destinationIp: this.#destination.ip,
      destinationPort: this.#destination.port,
      sourceIp: plainIp(socket.remoteAddress),
      sourcePort: socket.remotePort ?? 0,
      serverName: sniffed.serverName,
      transportProtocol: sniffed.transport,
      applicationProtocols: sniffed.protocols,
    };
    const chain = chooseChain(this.#listener.chains, facts) ?? this.#listener.defaultChain;
    if (!chain) {
      this.#context.noChain(this.#listener);
      return void socket.destroy();
    }
    if (chain.tls) {
      this.#secure(chain, facts, sniffed.offered);
      return;
    }
    this.#open(chain, facts, undefined, sniffed.protocols.includes('h2c') ? 'h2' : undefined, undefined);
  }

  #secure(chain: Chain, facts: ConnectionFacts, offered: readonly string[]): void {
    const socket = this.#socket;
    socket.pause();
    if (this.#seen) socket.unshift(this.#seen);
    this.#seen = undefined;
    chain.tls?.handshake(socket, offered, chain.tlsTimeout, {
      secured: (secure, alpn, tls) => this.#open(chain, facts, secure, alpn, tls),
      failed: ignore,
    });
  }

  #open(
    chain: Chain,
    facts: ConnectionFacts,
    secure: TLSSocket | undefined,
    protocol: string | undefined,
    tls: ConnectionTls | undefined,
  ): void {
    const info: ConnectionInfo = {
      id: this.#context.nextId(),
      remoteIp: facts.sourceIp,
      remotePort: facts.sourcePort,
      localIp: facts.destinationIp,
      localPort: facts.destinationPort,
      tls,
    };
    switch (chain.action.kind) {
      case 'http':
        this.#http(chain.action.http, info, secure, protocol);
        return;
      case 'tcp':
        this.#tcp(chain.action.tcp, info, secure);
        return;
      default:
        this.#socket.destroy();
    }
  }

  #http(
    config: Extract<Chain['action'], { kind: 'http' }>['http'],
    info: ConnectionInfo,
    secure: TLSSocket | undefined,
    protocol: string | undefined,
  ): void {
    const socket = secure ?? this.#socket;
    const connection = new HttpConnection({
      config,
      env: this.#context.env,
      info,
      closed: () => this.#context.over(this.#listener, session),
    });
    const session: Session = { drain: () => connection.drain(), destroy: () => connection.destroy() };
    this.#context.opened(this.#listener, session);
    const kind = config.codec === 'auto' ? protocol : config.codec;
    if (kind === 'h2') {
      this.#http2(connection, socket);
      return;
    }
    if (kind === undefined && !secure && config.codec === 'auto' && this.#seen === undefined) {
      this.#detect(connection);
      return;
    }
    this.#http1(connection, secure);
  }

  #http1(connection: HttpConnection, secure: TLSSocket | undefined): void {
    if (secure) {
      connection.serveH1(new SocketWire(secure, secure, false), undefined);
      return;
    }
    connection.serveH1(adoptAccepted(this.#socket), this.#seen);
  }

  #http2(connection: HttpConnection, socket: net.Socket): void {
    socket.pause();
    if (this.#seen) socket.unshift(this.#seen);
    connection.serveH2(socket);
  }

  /** Nothing has been read yet: the first bytes tell HTTP/2 with prior knowledge from HTTP/1.1. */
  #detect(connection: HttpConnection): void {
    const socket = this.#socket;
    const gone = (): void => {
      socket.destroy();
      connection.closed();
    };
    const onData = (chunk: Buffer): void => {
      this.#seen = this.#seen ? Buffer.concat([this.#seen, chunk]) : chunk;
      const start = this.#seen.toString('latin1', 0, Math.min(this.#seen.length, preface.length));
      const maybe = preface.startsWith(start);
      if (maybe && start.length < preface.length) return;
      socket.off('data', onData);
      socket.off('end', gone);
      socket.off('close', gone);
      if (maybe) this.#http2(connection, socket);
      else this.#http1(connection, undefined);
    };
    socket.on('data', onData);
    socket.on('end', gone);
    socket.on('close', gone);
    socket.resume();
  }

  #tcp(config: Extract<Chain['action'], { kind: 'tcp' }>['tcp'], info: ConnectionInfo, secure: TLSSocket | undefined): void {
    const wire = secure ? new SocketWire(secure, secure, false) : adoptAccepted(this.#socket);
    const holder: { session?: Session } = {};
    const closed = (): void => {
      if (holder.session) this.#context.over(this.#listener, holder.session);
    };
    const tcp = new TcpSession(wire, secure ? undefined : this.#seen, { config, env: this.#context.env, info, closed });
    const session: Session = { drain: () => undefined, destroy: () => tcp.close() };
    holder.session = session;
    this.#context.opened(this.#listener, session);
  }
}

const preface = 'PRI * HTTP/2.0\r\n\r\n';

function inspect(bytes: Buffer, listener: ListenerConfig, port: number): Sniffed | undefined {
  if (listener.inspectors.tls?.(port)) {
    const hello = readClientHello(bytes);
    if (hello.kind === 'incomplete') return undefined;
    if (hello.kind === 'hello') return { serverName: hello.serverName, transport: 'tls', protocols: hello.alpn, offered: hello.alpn };
  } else if (listener.hasTls && !listener.inspectors.http?.(port)) {
    const hello = readClientHello(bytes);
    if (hello.kind === 'incomplete') return undefined;
    return hello.kind === 'hello' ? { ...unknown, offered: hello.alpn } : unknown;
  }
  if (!listener.inspectors.http?.(port)) return unknown;
  const guess = guessHttp(bytes);
  if (guess === 'incomplete') return undefined;
  return guess === 'other' ? unknown : { serverName: undefined, transport: 'raw_buffer', protocols: [guess], offered: [] };
}

function ignore(): void {}
