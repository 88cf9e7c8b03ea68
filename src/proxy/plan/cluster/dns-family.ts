// Which addresses of a name are used.
import { Cluster_DnsLookupFamily } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';

export type DnsFamily = 'v4' | 'v6' | 'auto' | 'all' | 'v4Preferred';

export function planDnsFamily(family: Cluster_DnsLookupFamily | undefined): DnsFamily {
  switch (family) {
    case Cluster_DnsLookupFamily.V4_ONLY:
      return 'v4';
    case Cluster_DnsLookupFamily.V6_ONLY:
      return 'v6';
    case Cluster_DnsLookupFamily.V4_PREFERRED:
      return 'v4Preferred';
    case Cluster_DnsLookupFamily.ALL:
      return 'all';
    default:
      return 'auto';
  }
}
