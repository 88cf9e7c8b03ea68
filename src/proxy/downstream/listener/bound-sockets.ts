// The sockets on which one listener accepts, one an address; what cannot be bound is tried again.
import net from 'node:net';
import type { HostPort } from '../../codec/address.ts';
import { setOnServer } from '../../net/socket-options.ts';
import type { SocketOptionsPlan } from '../../plan/socket-options-plan.ts';

export interface BoundOptions {
  readonly addresses: readonly HostPort[];
  readonly backlog: number;
  readonly socketOptions: SocketOptionsPlan | undefined;
  /** The socket comes paused. */
  readonly accepted: (socket: net.Socket) => void;
  /** All addresses accept. */
  readonly opened: () => void;
  readonly failed: (error: Error) => void;
}

const againMs = 1000;

export class BoundSockets {
  readonly #options: BoundOptions;
  readonly #servers: readonly net.Server[];
  #closed = false;

  constructor(options: BoundOptions) {
    this.#options = options;
    this.#servers = options.addresses.map((address) => this.#serve(address));
  }

  get open(): boolean {
    return this.#servers.every((server) => server.listening);
  }

  close(): void {
    this.#closed = true;
    for (const server of this.#servers) server.close();
  }

  #serve(address: HostPort): net.Server {
    const { accepted, opened, failed } = this.#options;
    const server = net.createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, accepted);
    server.on('error', (error) => {
      failed(error);
      setTimeout(() => !this.#closed && !server.listening && this.#bind(server, address), againMs).unref();
    });
    server.on('listening', () => {
      if (this.#options.socketOptions) setOnServer(server, this.#options.socketOptions);
      if (this.open) opened();
    });
    this.#bind(server, address);
    return server;
  }

  #bind(server: net.Server, { ip, port, path }: HostPort): void {
    const { backlog } = this.#options;
    if (path !== undefined) server.listen({ path, backlog });
    else
      server.listen({ host: ip, port, backlog, ipv6Only: ip === '::' && this.#options.addresses.length > 1 });
  }
}
