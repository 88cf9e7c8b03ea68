// A DNS server in the proxy: it answers for the names of the mesh and asks the machine's resolver for all
// others.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/udp_filters/dns_filter
import { create } from '@bufbuild/protobuf';
import { SocketAddress_Protocol } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { DnsFilterConfigSchema } from '@meltemi/envoy-api/envoy/extensions/filters/udp/dns_filter/v3/dns_filter';
import { CaresDnsResolverConfigSchema } from '@meltemi/envoy-api/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver';
import { any, duration } from '../wire.ts';
import type { NameTable } from './name-table.ts';

/** Where Istio's agent listens as well, and iptables send what goes to port 53. */
export const nameServerAddress = '127.0.0.1';
export const nameServerPort = 15_053;
export const nameServerListener = 'dns';

/** Envoy takes nothing below; an address of the mesh may be gone by then. */
const ttlMs = 30_000;
const resolverTimeoutMs = 5000;
const maxPendingLookups = 256n;

export function nameServer(table: NameTable): Listener {
  const virtualDomains = [...table].map(([name, address]) => ({
    name,
    endpoint: { endpointConfig: { case: 'addressList' as const, value: { address: [...address] } } },
    answerTtl: duration(ttlMs),
  }));
  const filter = any(DnsFilterConfigSchema, {
    statPrefix: 'dns',
    serverConfig: {
      configSource: { case: 'inlineDnsTable', value: { externalRetryCount: 3, virtualDomains } },
    },
    clientConfig: {
      resolverTimeout: duration(resolverTimeoutMs),
      typedDnsResolverConfig: {
        name: 'envoy.network.dns_resolver.cares',
        typedConfig: any(CaresDnsResolverConfigSchema, {}),
      },
      maxPendingLookups,
    },
  });
  return create(ListenerSchema, {
    name: nameServerListener,
    address: {
      address: {
        case: 'socketAddress',
        value: {
          protocol: SocketAddress_Protocol.UDP,
          address: nameServerAddress,
          portSpecifier: { case: 'portValue', value: nameServerPort },
        },
      },
    },
    listenerFilters: [
      { name: 'envoy.filters.udp.dns_filter', configType: { case: 'typedConfig', value: filter } },
    ],
  });
}
