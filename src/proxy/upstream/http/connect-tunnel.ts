// A CONNECT that ends here: its bytes go to the host over a plain TCP (or TLS) connection of their own.

import { Headers } from '../../codec/http/headers.ts';
import type { UpstreamReceiver, UpstreamStream } from '../../codec/http/message-contract.ts';
import type { Wire } from '../../net/wire.ts';
import type { ConnectionOwner, UpstreamConnection } from './upstream-connection.ts';

export class ConnectTunnel implements UpstreamConnection, UpstreamStream {
  readonly #wire: Wire;
  readonly #owner: ConnectionOwner;
  #receiver: UpstreamReceiver | undefined;
  #used = false;
  readonly localAddress: string | undefined;
  readonly protocol = undefined;

  constructor(wire: Wire, owner: ConnectionOwner) {
    this.#wire = wire;
    this.#owner = owner;
    this.localAddress = wire.localAddress;
  }

  get available(): boolean {
    return !this.#used;
  }

  get activeStreams(): number {
    return this.#used ? 1 : 0;
  }

  request(
    _head: unknown,
    _end: boolean,
    _full: string | undefined,
    receiver: UpstreamReceiver,
  ): UpstreamStream {
    this.#used = true;
    this.#receiver = receiver;
    this.#wire.attach({
      onBytes: (bytes, start, end) => {
        this.#receiver?.body(bytes.subarray(start, end), false);
        this.#receiver?.flush();
      },
      onDrain: () => this.#receiver?.writable(),
      onEnd: () => this.#finish(),
      onClose: () => {
        this.#finish();
        this.#owner.gone(this);
      },
    });
    queueMicrotask(() => {
      this.#receiver?.head(200, new Headers(), false);
      this.#wire.resume();
    });
    return this;
  }

  body(chunk: Buffer, end: boolean): boolean {
    const more = chunk.length === 0 ? true : this.#wire.writeBytes(Buffer.from(chunk));
    if (end) this.#wire.end();
    return more;
  }

  trailers(): void {
    this.#wire.end();
  }

  flush(): void {}

  reset(): void {
    this.#receiver = undefined;
    this.#wire.destroy();
  }

  readResponse(on: boolean): void {
    if (on) this.#wire.resume();
    else this.#wire.pause();
  }

  drain(): void {}

  destroy(): void {
    this.#wire.destroy();
  }

  #finish(): void {
    const receiver = this.#receiver;
    this.#receiver = undefined;
    receiver?.body(Buffer.alloc(0), true);
    receiver?.flush();
  }
}
