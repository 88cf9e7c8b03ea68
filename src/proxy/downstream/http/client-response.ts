// The last that a response passes on its way to the client: what the connection manager says of it, and the
// end of the exchange.
import type { Headers } from '../../codec/http/headers.ts';
import type { Responder } from '../../codec/http/message-contract.ts';
import type { Exchange } from '../../observe/exchange.ts';
import type { StreamHost } from './stream-host.ts';

/** The stream that the response is of. */
export interface ResponseOwner {
  readonly connection: StreamHost;
  readonly exchange: Exchange;
  /** Something goes out. */
  touched(): void;
  /** Nothing more comes. */
  ended(): void;
}

export class ClientResponse implements Responder {
  readonly #codec: Responder;
  readonly #owner: ResponseOwner;

  constructor(codec: Responder, owner: ResponseOwner) {
    this.#codec = codec;
    this.#owner = owner;
  }

  interim(status: number, headers: Headers): void {
    this.#codec.interim(status, headers);
  }

  head(status: number, headers: Headers, end: boolean, full?: string): void {
    const { connection, exchange } = this.#owner;
    if (exchange.over) return;
    this.#owner.touched();
    const { config, env } = connection;
    const { serverHeader } = config;
    if (serverHeader === 'overwrite' || (serverHeader === 'appendIfAbsent' && !headers.has('server')))
      headers.set('server', config.serverName);
    if (!headers.has('date')) headers.add('date', env.date());
    if (config.alwaysSetRequestId)
      headers.set('x-request-id', exchange.request.headers.get('x-request-id') ?? '');
    if (config.via !== '') headers.add('via', config.via);
    exchange.responded(status, headers);
    if (env.draining()) this.#codec.closeAfter();
    if (full !== undefined) exchange.bytesSent += full.length;
    this.#codec.head(status, headers, end, full);
    if (end) this.#end();
  }

  body(chunk: Buffer, end: boolean): boolean {
    const { exchange } = this.#owner;
    if (exchange.over) return true;
    this.#owner.touched();
    exchange.bytesSent += chunk.length;
    const more = this.#codec.body(chunk, end);
    if (end) this.#end();
    return more;
  }

  trailers(trailers: Headers): void {
    const { exchange } = this.#owner;
    if (exchange.over) return;
    exchange.trailers = trailers;
    this.#codec.trailers(trailers);
    this.#end();
  }

  flush(): void {
    if (!this.#owner.exchange.over) this.#codec.flush();
  }

  reset(): void {
    const { exchange } = this.#owner;
    if (exchange.over) return;
    exchange.finish('proxy');
    this.#owner.ended();
    this.#codec.reset();
  }

  readRequest(on: boolean): void {
    this.#codec.readRequest(on);
  }

  closeAfter(): void {
    this.#codec.closeAfter();
  }

  #end(): void {
    this.#owner.exchange.finish('complete');
    this.#owner.ended();
  }
}
