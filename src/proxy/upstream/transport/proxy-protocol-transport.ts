// Begins each connection with the address of the client that it is for, whatever is spoken after that.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto
import type net from 'node:net';
import { plainIp } from '../../codec/address.ts';
import { proxyHeaderV1, proxyHeaderV2 } from '../../codec/proxy-protocol.ts';
import type { ConnectRequest, ConnectResult, Transport } from './transport.ts';

export class ProxyProtocolTransport implements Transport {
  readonly tellsClient = true;
  readonly #inner: Transport;
  readonly #version: 1 | 2;

  constructor(inner: Transport, version: 1 | 2) {
    this.#inner = inner;
    this.#version = version;
  }

  get secure(): boolean {
    return this.#inner.secure;
  }

  get settled(): boolean {
    return this.#inner.settled;
  }

  connect(request: ConnectRequest, result: ConnectResult): () => void {
    return this.#inner.connect({ ...request, preamble: (socket) => this.#header(request, socket) }, result);
  }

  #header({ client }: ConnectRequest, socket: net.Socket): Buffer {
    if (this.#version === 2) return proxyHeaderV2(client);
    return proxyHeaderV1(client ?? ownAddresses(socket));
  }
}

function ownAddresses(socket: net.Socket): {
  remoteIp: string;
  remotePort: number;
  localIp: string;
  localPort: number;
} {
  return {
    remoteIp: plainIp(socket.localAddress),
    remotePort: socket.localPort ?? 0,
    localIp: plainIp(socket.remoteAddress),
    localPort: socket.remotePort ?? 0,
  };
}
