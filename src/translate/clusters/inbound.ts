// The application behind an inbound port.
import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import type { MeshSettings } from '../../mesh/index.ts';
import { connectionPool, httpProtocolOptions } from '../features/connection-pool.ts';
import { clusterStatName, type StatSubject } from '../features/stat-name.ts';
import type { InboundPort } from '../inbound-plan.ts';
import { inboundClusterName } from '../names.ts';
import { madeOf } from '../origins.ts';
import { duration, type Init, packed, pipeAddress, socketAddress } from '../wire.ts';
import { inboundSourceAddress } from './static.ts';

/**
 * Hosts of an original-destination cluster are kept: the application does not go away while its proxy runs.
 */
const never = 9_223_372_035_000;

export function inboundCluster(port: InboundPort, settings: MeshSettings): Cluster {
  const name = inboundClusterName(port.port);
  const options = httpProtocolOptions(port.protocol, port.connectionPool, false);
  const cluster = create(ClusterSchema, {
    name,
    altStatName: clusterStatName(
      settings.config.inboundClusterStatName,
      name,
      statSubject(port),
      settings.domain,
    ),
    connectTimeout: duration(settings.connectTimeoutMs),
    ...connectionPool(port.connectionPool, settings.config),
    ...discovery(port, settings),
    typedExtensionProtocolOptions: options
      ? {
          'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': packed(
            HttpProtocolOptionsSchema,
            options,
          ),
        }
      : {},
  });
  return madeOf(cluster, port.origin);
}

function discovery(port: InboundPort, { config }: MeshSettings): Init<typeof ClusterSchema> {
  const isLocal = config.inboundTrafficPolicy?.mode === 'LOCALHOST';
  const application = port.application ?? (isLocal ? { address: '127.0.0.1', port: port.port } : undefined);
  return application ? fixed(inboundClusterName(port.port), application) : dialled();
}

function statSubject({ hostname, servicePort, portName, port }: InboundPort): StatSubject {
  return { hostname, port: servicePort, portName, targetPort: port };
}

function dialled(): Init<typeof ClusterSchema> {
  return {
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.ORIGINAL_DST },
    lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED,
    cleanupInterval: duration(never),
    upstreamBindConfig: {
      sourceAddress: { address: inboundSourceAddress, portSpecifier: { case: 'portValue', value: 0 } },
    },
  };
}

function fixed(
  name: string,
  application: NonNullable<InboundPort['application']>,
): Init<typeof ClusterSchema> {
  const address =
    'path' in application
      ? pipeAddress(application.path)
      : socketAddress(application.address, application.port);
  return {
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    loadAssignment: {
      clusterName: name,
      endpoints: [{ lbEndpoints: [{ hostIdentifier: { case: 'endpoint', value: { address } } }] }],
    },
  };
}
