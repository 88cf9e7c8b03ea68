// A TCP server that keeps every byte it gets and answers as told, so that nothing is parsed on the way.
import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';

/** What a connection brought, and a way to wait for more. */
export class Recorded {
  readonly socket: Socket;
  #text = '';
  #ended = false;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
    });
    socket.on('close', () => {
      this.#ended = true;
    });
  }

  /** One byte a character. */
  get text(): string {
    return this.#text;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** What came since the last call. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    return text;
  }
}

export type Handler = (connection: Recorded) => void;

export class RawUpstream {
  readonly #server: Server;
  readonly #connections = new Set<Recorded>();

  private constructor(handler: Handler) {
    this.#server = createServer({ allowHalfOpen: true }, (socket) => {
      socket.on('error', () => undefined);
      const recorded = new Recorded(socket);
      this.#connections.add(recorded);
      handler(recorded);
    });
  }

  static async start(handler: Handler = answerWhenQuiet(), port = 0): Promise<RawUpstream> {
    const upstream = new RawUpstream(handler);
    upstream.#server.listen(port, '127.0.0.1');
    await once(upstream.#server, 'listening');
    return upstream;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get connections(): readonly Recorded[] {
    return [...this.#connections];
  }

  /** What each connection brought since the last call; those that brought nothing are left out. */
  take(): readonly string[] {
    const texts = this.connections.map((one) => one.take());
    for (const one of this.#connections) if (one.ended) this.#connections.delete(one);
    return texts.filter((text) => text !== '');
  }

  async stop(): Promise<void> {
    for (const { socket } of this.#connections) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

export const okResponse = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';

/**
 * Answers once nothing more has come for a moment, so that bytes that follow a request are seen before it is
 * answered.
 */
export function answerWhenQuiet(response = okResponse, quietMs = 50): Handler {
  return ({ socket }) => {
    let timer: NodeJS.Timeout | undefined;
    socket.on('data', () => {
      clearTimeout(timer);
      timer = setTimeout(() => socket.write(response, 'latin1'), quietMs);
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => clearTimeout(timer));
  };
}

/** Calls back for every request head (none has a body); what is written is up to the callback. */
export function onEachHead(answer: (socket: Socket, head: string) => void): Handler {
  return ({ socket }) => {
    let text = '';
    socket.on('data', (chunk: Buffer) => {
      text += chunk.toString('latin1');
      for (let end = text.indexOf('\r\n\r\n'); end >= 0; end = text.indexOf('\r\n\r\n')) {
        const head = text.slice(0, end);
        text = text.slice(end + 4);
        answer(socket, head);
      }
    });
    socket.on('end', () => socket.end());
  };
}
