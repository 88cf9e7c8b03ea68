// Begins each connection with the address of the client that it is for, whatever is spoken after that.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol.proto
import type net from 'node:net';
import {
  type ProxyProtocolConfig,
  ProxyProtocolConfig_Version,
} from '@meltemi/envoy-api/envoy/config/core/v3/proxy_protocol';
import { proxyHeaderV1, proxyHeaderV2 } from '../../codec/proxy-protocol.ts';
import { plainIp } from '../../net/address.ts';
import type { ConnectRequest, ConnectResult, Transport } from './transport.ts';

export class ProxyProtocolTransport implements Transport {
  readonly tellsClient = true;
  readonly #inner: Transport;
  readonly #config: ProxyProtocolConfig | undefined;

  constructor(inner: Transport, config: ProxyProtocolConfig | undefined) {
    this.#inner = inner;
    this.#config = config;
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
    if (this.#config?.version === ProxyProtocolConfig_Version.V2) return proxyHeaderV2(client);
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
