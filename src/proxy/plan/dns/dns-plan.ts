// Envoy's DNS filter as a plan: the names that are answered here, and who is asked for others.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/udp_filters/dns_filter
import { fromBinary } from '@bufbuild/protobuf';
import type { DnsTable } from '@meltemi/envoy-api/envoy/data/dns/v3/dns_table';
import { DnsFilterConfigSchema } from '@meltemi/envoy-api/envoy/extensions/filters/udp/dns_filter/v3/dns_filter';
import ipaddr from 'ipaddr.js';
import { type HostPort, readAddress } from '../../codec/address.ts';
import { millis } from '../../codec/duration.ts';

export interface NameEntry {
  readonly v4: readonly string[];
  readonly v6: readonly string[];
  readonly ttlSeconds: number;
}

export interface DnsPlan {
  /** By name, lower case; `*.example.com` stands for all names below. */
  readonly names: ReadonlyMap<string, NameEntry>;
  /** Undefined where other names are not asked for. */
  readonly forward: ForwardPlan | undefined;
}

export interface ForwardPlan {
  /** Empty for the machine's own. */
  readonly resolvers: readonly HostPort[];
  readonly timeoutMs: number;
  readonly tries: number;
  readonly maxPending: number;
}

const usualTtl = 300;

export function planDnsFilter(bytes: Uint8Array, problems: string[]): DnsPlan {
  const { serverConfig, clientConfig: client } = fromBinary(DnsFilterConfigSchema, bytes);
  const source = serverConfig?.configSource;
  if (source?.case !== 'inlineDnsTable') problems.push('dns_filter: only an inline_dns_table is supported');
  const table = source?.case === 'inlineDnsTable' ? source.value : undefined;
  const resolvers = [...(client?.upstreamResolvers ?? []), ...(client?.dnsResolutionConfig?.resolvers ?? [])];
  return {
    names: table ? planTable(table, problems) : new Map(),
    forward: client && {
      resolvers: resolvers.flatMap((address) => readAddress(address) ?? []),
      timeoutMs: millis(client.resolverTimeout) ?? 2000,
      tries: 1 + (table?.externalRetryCount ?? 0),
      maxPending: Number(client.maxPendingLookups) || 256,
    },
  };
}

function planTable(table: DnsTable, problems: string[]): DnsPlan['names'] {
  const names = new Map<string, NameEntry>();
  for (const domain of table.virtualDomains) {
    const config = domain.endpoint?.endpointConfig;
    if (config?.case !== 'addressList') {
      problems.push(`dns_filter: ${domain.name} has no address_list`);
      continue;
    }
    const addresses = config.value.address;
    for (const address of addresses)
      if (!ipaddr.isValid(address)) problems.push(`dns_filter: ${domain.name}: ${address} is not an address`);
    names.set(domain.name.toLowerCase().replace(/\.$/, ''), {
      v4: addresses.filter((address) => ipaddr.IPv4.isValidFourPartDecimal(address)),
      v6: addresses.filter((address) => ipaddr.IPv6.isValid(address)),
      ttlSeconds: Math.round((millis(domain.answerTtl) ?? usualTtl * 1000) / 1000),
    });
  }
  return names;
}
