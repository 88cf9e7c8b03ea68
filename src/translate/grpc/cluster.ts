// Clusters of gRPC applications, in the discovery types and balancing policies that gRPC knows.
// https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md
import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_LbPolicy,
  ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { LoadBalancerSettings } from '../../config/index.ts';
import type { Audience, Mesh } from '../../mesh/index.ts';
import { identitiesOf } from '../clusters/identities.ts';
import { clusterLoadAssignment } from '../endpoints/load-assignment.ts';
import { loadBalancer } from '../features/load-balancer.ts';
import { type OutboundTarget, targetName } from '../outbound-target.ts';
import { fromAds, type Init } from '../wire.ts';
import { clientTls } from './certificates.ts';

type ClusterInit = Init<typeof ClusterSchema>;

/** Undefined for what gRPC has no cluster for: more than one name to resolve. */
export function grpcCluster(mesh: Mesh, audience: Audience, target: OutboundTarget): Cluster | undefined {
  const discovery = discoveryOf(mesh, audience, target);
  const maxRequests = target.policy.connectionPool?.http?.http2MaxRequests;
  return (
    discovery &&
    create(ClusterSchema, {
      name: targetName(target),
      ...discovery,
      ...balancing(target.policy.loadBalancer),
      circuitBreakers: maxRequests ? { thresholds: [{ maxRequests }] } : undefined,
      transportSocket: transportSocket(mesh, target),
    })
  );
}

function discoveryOf(mesh: Mesh, audience: Audience, target: OutboundTarget): ClusterInit | undefined {
  const name = targetName(target);
  if (!isResolvedByName(target))
    return {
      clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.EDS },
      edsClusterConfig: { edsConfig: fromAds, serviceName: name },
    };
  // https://github.com/grpc/proposal/blob/master/A37-xds-aggregate-and-logical-dns-clusters.md: exactly one
  // name
  const loadAssignment = clusterLoadAssignment(mesh, audience, target, 'inline');
  if (loadAssignment.endpoints.flatMap((locality) => locality.lbEndpoints).length !== 1) return undefined;
  return { clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.LOGICAL_DNS }, loadAssignment };
}

function isResolvedByName({ service: { resolution } }: OutboundTarget): boolean {
  return resolution === 'dns' || resolution === 'dns-round-robin' || resolution === 'dynamic-dns';
}

/**
 * Clients refuse other policies: whatever spreads requests becomes round robin, whatever keeps them together
 * a ring.
 */
function balancing(settings: LoadBalancerSettings | undefined): ClusterInit {
  if (!settings?.consistentHash) return { lbPolicy: Cluster_LbPolicy.ROUND_ROBIN };
  const ring = settings.consistentHash.maglev ? { consistentHash: {} } : settings;
  return loadBalancer(ring);
}

// Istio does the same: whether a client uses credentials of xDS at all is not known, so only what is asked
// for is sent.
function transportSocket(
  mesh: Mesh,
  { service, policy: { tls } }: OutboundTarget,
): ClusterInit['transportSocket'] {
  if (tls?.mode !== 'ISTIO_MUTUAL') return undefined;
  return clientTls(tls.subjectAltNames?.length ? tls.subjectAltNames : identitiesOf(mesh, service));
}
