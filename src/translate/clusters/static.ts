// The clusters that every proxy has: nowhere, wherever the client dialled, and the application behind an
// inbound port.
import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { UpstreamHttpProtocolOptions } from '@meltemi/envoy-api/envoy/config/core/v3/protocol';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import type { Mesh } from '../../mesh/index.ts';
import { connectionPool, unlimitedBreakers } from '../features/connection-pool.ts';
import { dynamicDnsCluster as dynamicDns } from '../features/dynamic-dns.ts';
import { automaticNames, upstreamTls } from '../features/upstream-tls.ts';
import {
  blackHoleCluster,
  dynamicDnsCluster,
  inboundPassthroughCluster,
  passthroughCluster,
} from '../names.ts';
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
  const { config } = mesh.settings;
  const pool = config.defaultTrafficPolicy?.connectionPool;
  return create(ClusterSchema, {
    ...originalDestination(mesh, passthroughCluster),
    ...(pool ? connectionPool(pool, config) : {}),
  });
}

/** Where requests for undeclared hosts go that are looked up by name. */
export function allowAnyDynamicDns(mesh: Mesh): Cluster {
  const { config } = mesh.settings;
  const tls = config.outboundTrafficPolicy?.tls;
  return create(ClusterSchema, {
    name: dynamicDnsCluster,
    altStatName: `${dynamicDnsCluster};`,
    connectTimeout: duration(mesh.settings.connectTimeoutMs),
    circuitBreakers: unlimitedBreakers,
    ...dynamicDns(config, tls),
    transportSocket:
      tls && upstreamTls(tls, { http2: false, sni: '', subjectAltNames: [], defaults: config.tlsDefaults }),
    typedExtensionProtocolOptions: followingTheClient(tls && automaticNames(tls)),
  });
}

export function inboundPassthrough(mesh: Mesh): Cluster {
  return create(ClusterSchema, {
    ...originalDestination(mesh, inboundPassthroughCluster),
    upstreamBindConfig: {
      sourceAddress: { address: inboundSourceAddress, portSpecifier: { case: 'portValue', value: 0 } },
    },
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
    typedExtensionProtocolOptions: followingTheClient(),
  };
}

/** HTTP/2 exactly for clients that speak it. */
function followingTheClient(names?: UpstreamHttpProtocolOptions): Record<string, Any> {
  return {
    'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': any(HttpProtocolOptionsSchema, {
      commonHttpProtocolOptions: { idleTimeout: duration(300_000) },
      upstreamProtocolOptions: {
        case: 'useDownstreamProtocolConfig',
        value: { httpProtocolOptions: {}, http2ProtocolOptions: {} },
      },
      upstreamHttpProtocolOptions: names,
    }),
  };
}
