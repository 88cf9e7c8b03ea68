// What is in force, as text and JSON in the shape of Envoy's own.
import { toJson } from '@bufbuild/protobuf';
import {
  type Cluster as ClusterProto,
  ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { ListenerSet } from '../downstream/listener/listener-set.ts';
import { knownTypes } from '../known-types.ts';
import type { Cluster } from '../upstream/cluster.ts';
import type { ClusterSet } from '../upstream/cluster-set.ts';
import type { Host } from '../upstream/host.ts';
import { redacted } from './redact.ts';

export function configDump(
  clusters: ClusterSet,
  listeners: ListenerSet,
  options: { withEndpoints: boolean },
): unknown {
  const list = [...clusters.all()];
  const configs: unknown[] = [
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.ClustersConfigDump',
      dynamic_active_clusters: list.map(({ source }) => ({ cluster: clusterJson(source) })),
    },
    {
      '@type': 'type.googleapis.com/envoy.admin.v3.ListenersConfigDump',
      dynamic_listeners: [...listeners.active()].map((one) => ({
        name: one.name,
        active_state: {
          listener: {
            name: one.name,
            address: { socket_address: { address: one.address.ip, port_value: one.address.port } },
          },
        },
      })),
    },
  ];
  if (options.withEndpoints)
    configs.push({
      '@type': 'type.googleapis.com/envoy.admin.v3.EndpointsConfigDump',
      dynamic_endpoint_configs: list.map(({ cluster }) => ({ endpoint_config: endpointsJson(cluster) })),
    });
  return { configs };
}

export function clustersText(clusters: ClusterSet): string {
  const lines: string[] = [];
  for (const { cluster } of clusters.all()) {
    const { name } = cluster.plan;
    for (const priority of ['default', 'high'] as const) {
      const limits = cluster.resources[priority].limits;
      lines.push(
        `${name}::${priority}_priority::max_connections::${limits.maxConnections}`,
        `${name}::${priority}_priority::max_pending_requests::${limits.maxPending}`,
      );
      lines.push(
        `${name}::${priority}_priority::max_requests::${limits.maxRequests}`,
        `${name}::${priority}_priority::max_retries::${limits.maxRetries}`,
      );
    }
    for (const host of cluster.hosts.values()) {
      lines.push(
        `${name}::${host.address}::cx_active::${host.connections}`,
        `${name}::${host.address}::rq_active::${host.activeRequests}`,
        `${name}::${host.address}::rq_total::${host.requests}`,
      );
      lines.push(
        `${name}::${host.address}::hostname::${host.hostname}`,
        `${name}::${host.address}::health_flags::${healthFlags(host)}`,
        `${name}::${host.address}::weight::${host.weight}`,
      );
    }
  }
  return lines.map((line) => `${line}\n`).join('');
}

function healthFlags({ ejected, health }: Host): string {
  if (ejected) return '/failed_outlier_check';
  return health === 'unhealthy' ? '/failed_eds_health' : 'healthy';
}

function clusterJson(source: ClusterProto): unknown {
  try {
    return redacted(toJson(ClusterSchema, source, { registry: knownTypes, useProtoFieldName: true }));
  } catch {
    return { name: source.name };
  }
}

function endpointsJson(cluster: Cluster): unknown {
  return {
    cluster_name: cluster.plan.eds.name,
    endpoints: cluster.localities.map((group) => ({
      locality: group.locality,
      priority: group.priority,
      lb_endpoints: group.hosts.map((host) => ({
        endpoint: {
          address: { socket_address: { address: host.ip, port_value: host.port } },
          hostname: host.hostname,
        },
        health_status: host.health.toUpperCase(),
        load_balancing_weight: host.weight,
      })),
    })),
  };
}
