// The application behind an inbound port.
import { create } from '@bufbuild/protobuf';
import { type Cluster, Cluster_DiscoveryType, Cluster_LbPolicy, ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import type { MeshSettings } from '../../mesh/index.ts';
import { connectionPool, httpProtocolOptions } from '../features/connection-pool.ts';
import { inboundClusterName } from '../listeners/inbound.ts';
import type { InboundPort } from '../listeners/inbound-plan.ts';
import { duration, type Init, packed, pipeAddress, socketAddress } from '../wire.ts';
import { inboundSourceAddress } from './static.ts';

/** Hosts of an original-destination cluster are kept: the application does not go away while its proxy runs. */
const never = 9_223_372_035_000;

export function inboundCluster(port: InboundPort, settings: MeshSettings): Cluster {
  const name = inboundClusterName(port.port);
  const options = httpProtocolOptions(port.protocol, withoutClientSide(port.connectionPool), false);
  return create(ClusterSchema, {
    name,
    altStatName: `${name};`,
    connectTimeout: duration(settings.connectTimeoutMs),
    ...connectionPool(port.connectionPool, settings.config),
    ...(port.application ? fixed(name, port.application) : dialled()),
    typedExtensionProtocolOptions: options
      ? { 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': packed(HttpProtocolOptionsSchema, options) }
      : {},
  });
}

function withoutClientSide(pool: InboundPort['connectionPool']): InboundPort['connectionPool'] {
  return pool?.http ? { ...pool, http: { ...pool.http, useClientProtocol: undefined, h2UpgradePolicy: undefined } } : pool;
}

function dialled(): Init<typeof ClusterSchema> {
  return {
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    cleanupInterval: duration(never),
    upstreamBindConfig: { sourceAddress: { address: inboundSourceAddress, portSpecifier: { case: 'portValue', value: 0 } } },
  };
}

function fixed(name: string, application: NonNullable<InboundPort['application']>): Init<typeof ClusterSchema> {
  const address = 'path' in application ? pipeAddress(application.path) : socketAddress(application.address, application.port);
  return {
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    loadAssignment: { clusterName: name, endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: 'endpoint', value: { address } } }] }] },
  };
}
