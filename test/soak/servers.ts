// The servers of the soak: HTTP/1.1 and HTTP/2, which die in the middle of their answers and come back on the
// same port.
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server } from 'node:http2';
import type { Socket } from 'node:net';

const slowMs = 200;
const largeBytes = 300_000;

export class MortalServer {
  readonly #version: 1 | 2;
  readonly #sockets = new Set<Socket>();
  #server: Server | Http2Server | undefined;
  #port = 0;

  constructor(version: 1 | 2) {
    this.#version = version;
  }

  get port(): number {
    return this.#port;
  }

  async start(): Promise<void> {
    const server = this.#version === 1 ? createServer(answer) : createHttp2Server(answer as never);
    this.#server = server;
    server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('error', () => {});
      socket.on('close', () => this.#sockets.delete(socket));
    });
    server.on('upgrade', (_request: unknown, socket: Socket) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n');
      socket.pipe(socket);
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    this.#port = typeof address === 'object' && address ? address.port : 0;
  }

  /** Without a word to anybody. */
  async die(): Promise<void> {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    const closed = this.#server && once(this.#server, 'close');
    this.#server?.close();
    await closed;
  }
}

interface Answerable {
  readonly url?: string;
  resume(): unknown;
}

interface Answer {
  readonly destroyed?: boolean;
  write(chunk: string | Buffer): unknown;
  end(chunk?: string | Buffer): unknown;
}

function answer(request: Answerable, response: Answer): void {
  request.resume();
  const path = request.url ?? '/';
  if (path.includes('large')) {
    response.end(Buffer.alloc(largeBytes, 'x'));
  } else if (path.includes('slow')) {
    response.write('begun ');
    setTimeout(() => response.end('done'), slowMs);
  } else response.end('ok');
}
