// Hosts that are looked up when a request or handshake names them: ServiceEntry `resolution: DYNAMIC_DNS` and
// the outbound policy ALLOW_ANY_DYNAMIC_DNS.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/http/http_proxy
import { create } from '@bufbuild/protobuf';
import {
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
  type ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { type Filter, FilterSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { ClusterConfigSchema } from '@meltemi/envoy-api/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster';
import type { DnsCacheConfigSchema } from '@meltemi/envoy-api/envoy/extensions/common/dynamic_forward_proxy/v3/dns_cache';
import { FilterConfigSchema as HttpFilterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy';
import { FilterConfigSchema as SniFilterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy';
import type { ClientTLSSettings, MeshConfig } from '../../config/index.ts';
import { any, duration, type Init } from '../wire.ts';
import { automaticNames } from './upstream-tls.ts';

export const defaultDnsRefreshMs = 60_000;

/**
 * One cache for all: a filter fills the cache that it names and a cluster takes its hosts from the cache that
 * it names, and one port's filter may serve several clusters.
 */
function dnsCache(mesh: MeshConfig): Init<typeof DnsCacheConfigSchema> {
  return {
    name: 'dynamic_dns',
    dnsLookupFamily: Cluster_DnsLookupFamily.V4_ONLY,
    dnsRefreshRate: duration(mesh.dnsRefreshRate ?? defaultDnsRefreshMs),
  };
}

/** Envoy wants the name that was asked for verified, unless told that it is meant so. */
export function dynamicDnsCluster(
  mesh: MeshConfig,
  tls: ClientTLSSettings | undefined,
): Init<typeof ClusterSchema> {
  const names = automaticNames(tls);
  const config = any(ClusterConfigSchema, {
    clusterImplementationSpecifier: { case: 'dnsCacheConfig', value: dnsCache(mesh) },
    allowInsecureClusterOptions: !names?.autoSni || !names.autoSanValidation,
  });
  return {
    clusterDiscoveryType: {
      case: 'clusterType',
      value: { name: 'envoy.clusters.dynamic_forward_proxy', typedConfig: config },
    },
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
  };
}

/** Looks up the Host of requests whose route leads to such a cluster; others pass. */
export function dynamicDnsHttpFilter(mesh: MeshConfig): {
  name: string;
  configType: { case: 'typedConfig'; value: ReturnType<typeof any> };
} {
  const config = any(HttpFilterSchema, {
    implementationSpecifier: { case: 'dnsCacheConfig', value: dnsCache(mesh) },
  });
  return {
    name: 'envoy.filters.http.dynamic_forward_proxy',
    configType: { case: 'typedConfig', value: config },
  };
}

/** Looks up the server name of a TLS handshake, for the TCP proxy behind it. */
export function dynamicDnsSniFilter(mesh: MeshConfig, port: number): Filter {
  const config = any(SniFilterSchema, {
    dnsCacheConfig: dnsCache(mesh),
    portSpecifier: { case: 'portValue', value: port },
  });
  return create(FilterSchema, {
    name: 'envoy.filters.network.sni_dynamic_forward_proxy',
    configType: { case: 'typedConfig', value: config },
  });
}
