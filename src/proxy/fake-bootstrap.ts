// Bootstraps for tests: one listener with one filter chain, and the clusters that it leads to.
import { once } from 'node:events';
import net, { type AddressInfo } from 'node:net';
import { type ProxyOptions, type RunningProxy, readBootstrap, startProxy } from './index.ts';

const types = 'type.googleapis.com/envoy';
const filters = `${types}.extensions.filters`;

export const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': `${filters}.http.router.v3.Router` },
};

export function httpFilter(routes: readonly object[], extra: object = {}): object {
  return {
    name: 'envoy.filters.network.http_connection_manager',
    typed_config: {
      '@type': `${filters}.network.http_connection_manager.v3.HttpConnectionManager`,
      stat_prefix: 'main',
      http_filters: [router],
      route_config: { name: 'r', virtual_hosts: [{ name: 'v', domains: ['*'], routes }] },
      ...extra,
    },
  };
}

export function tcpFilter(cluster: string, extra: object = {}): object {
  return {
    name: 'envoy.filters.network.tcp_proxy',
    typed_config: {
      '@type': `${filters}.network.tcp_proxy.v3.TcpProxy`,
      stat_prefix: 'main',
      cluster,
      ...extra,
    },
  };
}

export function address(port: number, ip = '127.0.0.1'): object {
  return { socket_address: { address: ip, port_value: port } };
}

export function listener(port: number, chain: readonly object[], extra: object = {}): object {
  return { name: `on-${port}`, address: address(port), filter_chains: [{ filters: chain }], ...extra };
}

export function cluster(name: string, ports: readonly number[], extra: object = {}): object {
  const endpoints = ports.map((port) => ({ endpoint: { address: address(port) } }));
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: endpoints }] },
    ...extra,
  };
}

export const overHttp2 = {
  typed_extension_protocol_options: {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
      '@type': `${types}.extensions.upstreams.http.v3.HttpProtocolOptions`,
      explicit_http_config: { http2_protocol_options: {} },
    },
  },
};

export interface FakeConfig {
  readonly listeners: readonly object[];
  readonly clusters?: readonly object[];
  readonly more?: object;
}

export function startFake(
  { listeners, clusters = [], more = {} }: FakeConfig,
  options: ProxyOptions = {},
): Promise<RunningProxy> {
  const json = { node: { id: 'test', cluster: 'test' }, static_resources: { listeners, clusters }, ...more };
  return startProxy(readBootstrap(JSON.stringify(json)), { drainMs: 100, ...options });
}

export async function freePort(): Promise<number> {
  const server = net.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Waits until a server listens and says where. */
export async function portOf(server: net.Server): Promise<number> {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

export interface Exchange {
  readonly received: string;
  /** How it ended: `end` by the other side, `reset`, or `enough` when what was waited for had come. */
  readonly ended: 'end' | 'reset' | 'enough';
}

/** Sends bytes and reads until the other side ends or `until` has come. */
export function talk(port: number, bytes: string, until?: string): Promise<Exchange> {
  return new Promise((resolve) => {
    const socket = net.connect(port, '127.0.0.1', () => socket.write(bytes, 'latin1'));
    let received = '';
    const over = (ended: Exchange['ended']): void => {
      resolve({ received, ended });
      socket.destroy();
    };
    socket.on('data', (chunk: Buffer) => {
      received += chunk.toString('latin1');
      if (until !== undefined && received.includes(until)) over('enough');
    });
    socket.on('end', () => over('end'));
    socket.on('error', () => over('reset'));
  });
}
