// A request on its way through the proxy: what codecs read, routes match and header rules change.
import { isGrpcType } from './grpc-type.ts';
import type { Headers } from './headers.ts';

export type Protocol = 'http/1.0' | 'http/1.1' | 'h2';

export interface RequestInit {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly scheme: string;
  readonly upgrade: string | undefined;
  readonly protocol: Protocol;
  readonly headers: Headers;
}

export class Request {
  method: string;
  path: string;
  authority: string;
  scheme: string;
  /** The protocol asked for by an upgrade (`websocket`), or undefined. */
  upgrade: string | undefined;
  readonly protocol: Protocol;
  readonly headers: Headers;

  constructor(init: RequestInit) {
    this.method = init.method;
    this.path = init.path;
    this.authority = init.authority;
    this.scheme = init.scheme;
    this.upgrade = init.upgrade;
    this.protocol = init.protocol;
    this.headers = init.headers;
  }

  get(name: string): string | undefined {
    if (name.charCodeAt(0) === 0x3a) return this.#pseudo(name);
    return this.headers.get(name);
  }

  getAll(name: string): readonly string[] {
    return this.headers.getAll(name);
  }

  set(name: string, value: string): void {
    if (name === ':path') this.path = value;
    else if (name === ':authority' || name === 'host') this.authority = value;
    else if (name === ':method') this.method = value;
    else if (name === ':scheme') this.scheme = value;
    else this.headers.set(name, value);
  }

  add(name: string, value: string): void {
    if (name.charCodeAt(0) === 0x3a || name === 'host') this.set(name, value);
    else this.headers.add(name, value);
  }

  remove(name: string): void {
    if (name.charCodeAt(0) !== 0x3a && name !== 'host') this.headers.remove(name);
  }

  clone(): Request {
    return new Request({ ...this, headers: this.headers.clone() });
  }

  /** Whether the sender speaks gRPC, going by the content type. */
  get grpc(): boolean {
    return isGrpcType(this.headers.get('content-type') ?? '');
  }

  #pseudo(name: string): string | undefined {
    switch (name) {
      case ':path':
        return this.path;
      case ':authority':
        return this.authority;
      case ':method':
        return this.method;
      case ':scheme':
        return this.scheme;
      default:
        return undefined;
    }
  }
}
