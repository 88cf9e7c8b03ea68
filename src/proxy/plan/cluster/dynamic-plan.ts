// How a cluster whose hosts are found by name looks them up.
import { Cluster_DnsLookupFamily } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { DnsCacheConfig } from '@meltemi/envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache';
import { millis } from '../../net/duration.ts';
import type { Family } from '../../upstream/resolver.ts';

export interface DynamicPlan {
  readonly family: Family;
  readonly refreshMs: number;
  readonly ttlMs: number;
  readonly maxHosts: number;
}

export function compileDynamic(cache: DnsCacheConfig | undefined): DynamicPlan {
  return {
    family: families[cache?.dnsLookupFamily ?? Cluster_DnsLookupFamily.AUTO] ?? 'auto',
    refreshMs: millis(cache?.dnsRefreshRate) ?? 60_000,
    ttlMs: millis(cache?.hostTtl) ?? 300_000,
    maxHosts: cache?.maxHosts ?? 1024,
  };
}

const families: Readonly<Record<number, Family>> = {
  [Cluster_DnsLookupFamily.V4_ONLY]: 'v4',
  [Cluster_DnsLookupFamily.V6_ONLY]: 'v6',
  [Cluster_DnsLookupFamily.V4_PREFERRED]: 'v4Preferred',
  [Cluster_DnsLookupFamily.ALL]: 'all',
};
