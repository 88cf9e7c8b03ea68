// Listeners of gRPC applications: what a channel to `host:port` asks for first, and what a server asks for
// before it serves.
// https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md
// https://github.com/grpc/proposal/blob/master/A36-xds-for-servers.md
import { create } from '@bufbuild/protobuf';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { RouterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/router/v3/router';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { faultFilter } from '../features/fault.ts';
import { any, fromAds, socketAddress } from '../wire.ts';
import { serverTls } from './certificates.ts';

const router = {
  name: 'envoy.filters.http.router',
  configType: { case: 'typedConfig', value: any(RouterSchema, {}) },
} as const;
const fault = {
  name: faultFilter,
  configType: { case: 'typedConfig', value: any(HTTPFaultSchema, {}) },
} as const;

export function channelListener(name: string, routeName: string): Listener {
  const manager = any(HttpConnectionManagerSchema, {
    routeSpecifier: { case: 'rds', value: { configSource: fromAds, routeConfigName: routeName } },
    httpFilters: [fault, router],
  });
  return create(ListenerSchema, { name, apiListener: { apiListener: manager } });
}

export interface ServerAddress {
  readonly address: string;
  readonly port: number;
}

export function serverListener(name: string, { address, port }: ServerAddress, mutualTls: boolean): Listener {
  const manager = any(HttpConnectionManagerSchema, {
    routeSpecifier: {
      case: 'routeConfig',
      value: {
        name: 'inbound',
        virtualHosts: [
          {
            domains: ['*'],
            routes: [
              {
                match: { pathSpecifier: { case: 'prefix', value: '/' } },
                action: { case: 'nonForwardingAction', value: {} },
              },
            ],
          },
        ],
      },
    },
    httpFilters: [router],
  });
  return create(ListenerSchema, {
    name,
    address: socketAddress(address, port),
    filterChains: [
      {
        name: mutualTls ? 'inbound-mtls' : 'inbound-plaintext',
        filters: [
          {
            name: 'envoy.filters.network.http_connection_manager',
            configType: { case: 'typedConfig', value: manager },
          },
        ],
        transportSocket: mutualTls ? serverTls() : undefined,
      },
    ],
  });
}
