// The clusters that every proxy has: nowhere, wherever the client dialled, and the application behind an inbound port.
import { create } from '@bufbuild/protobuf';
import { type Cluster, Cluster_DiscoveryType, Cluster_LbPolicy, ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import type { Mesh } from '../../mesh/index.ts';
import { unlimitedBreakers } from '../features/connection-pool.ts';
import { blackHoleCluster, inboundPassthroughCluster, passthroughCluster } from '../names.ts';
import { any, duration, type Init } from '../wire.ts';

/** Source address of connections to the application, so that capture lets them pass. */
export const inboundSourceAddress = '127.0.0.6';

export function blackHole(mesh: Mesh): Cluster {
  return create(ClusterSchema, {
    name: blackHoleCluster,
    altStatName: `${blackHoleCluster};`,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout: duration(mesh.settings.connectTimeoutMs),
  });
}

export function passthrough(mesh: Mesh): Cluster {
  return create(ClusterSchema, originalDestination(mesh, passthroughCluster));
}

export function inboundPassthrough(mesh: Mesh): Cluster {
  return create(ClusterSchema, {
    ...originalDestination(mesh, inboundPassthroughCluster),
    upstreamBindConfig: { sourceAddress: { address: inboundSourceAddress, portSpecifier: { case: 'portValue', value: 0 } } },
  });
}

function originalDestination(mesh: Mesh, name: string): Init<typeof ClusterSchema> {
  return {
    name,
    altStatName: `${passthroughCluster};`,
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
    connectTimeout: duration(mesh.settings.connectTimeoutMs),
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    circuitBreakers: unlimitedBreakers,
    typedExtensionProtocolOptions: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': any(HttpProtocolOptionsSchema, {
        commonHttpProtocolOptions: { idleTimeout: duration(300_000) },
        upstreamProtocolOptions: { case: 'useDownstreamProtocolConfig', value: { httpProtocolOptions: {}, http2ProtocolOptions: {} } },
      }),
    },
  };
}
