// How a cluster whose hosts are found by name looks them up.
import type { DnsCacheConfig } from '@meltemi/envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache';
import { millis } from '../../codec/duration.ts';
import { type DnsFamily, planDnsFamily } from './dns-family.ts';

export interface DynamicPlan {
  readonly family: DnsFamily;
  readonly refreshMs: number;
  readonly ttlMs: number;
  readonly maxHosts: number;
}

export function planDynamic(cache: DnsCacheConfig | undefined): DynamicPlan {
  return {
    family: planDnsFamily(cache?.dnsLookupFamily),
    refreshMs: millis(cache?.dnsRefreshRate) ?? 60_000,
    ttlMs: millis(cache?.hostTtl) ?? 300_000,
    maxHosts: cache?.maxHosts ?? 1024,
  };
}
