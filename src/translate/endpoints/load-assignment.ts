// The endpoints of one cluster, grouped by locality.
import { create } from '@bufbuild/protobuf';
import { HealthStatus } from '@meltemi/envoy-api/envoy/config/core/v3/health_check';
import { type ClusterLoadAssignment, ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import {
  type LbEndpointSchema,
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint_components';
import type { Audience, Mesh } from '../../mesh/index.ts';
import { type Endpoint, parseLocality, selects } from '../../registry/index.ts';
import { type OutboundTarget, targetName } from '../clusters/target.ts';
import { applyLocality } from '../features/locality.ts';
import { type Init, pipeAddress, socketAddress } from '../wire.ts';
import { type LocalityGroup, weightOf } from './locality-group.ts';

export function clusterLoadAssignment(mesh: Mesh, audience: Audience, target: OutboundTarget): ClusterLoadAssignment {
  const endpoints = mesh
    .endpoints(target.service)
    .filter((endpoint) => endpoint.servicePort === target.port.name && endpoint.health !== 'unhealthy' && endpoint.address !== '')
    .filter((endpoint) => !target.passesTls || endpoint.tlsMode === 'istio')
    .filter((endpoint) => selects(target.subset?.labels ?? {}, endpoint.labels));
  const groups = applyLocality(mesh, audience, target, groupByLocality(inRange(endpoints)));
  return create(ClusterLoadAssignmentSchema, { clusterName: targetName(target), endpoints: groups.map(localityEndpoints) });
}

/** Envoy's limit for the weights of a cluster's endpoints together. */
const heaviest = 0xffffffff;

/** The same shares, with weights that Envoy can add up. */
function inRange(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const total = endpoints.reduce((sum, endpoint) => sum + weightOf(endpoint), 0);
  if (total <= heaviest) return endpoints;
  const factor = (heaviest - endpoints.length) / total;
  return endpoints.map((endpoint) => ({ ...endpoint, weight: Math.max(1, Math.trunc(weightOf(endpoint) * factor)) }));
}

function groupByLocality(endpoints: readonly Endpoint[]): readonly LocalityGroup[] {
  const groups = new Map<string, Endpoint[]>();
  for (const endpoint of endpoints) {
    const group = groups.get(endpoint.locality);
    if (group) group.push(endpoint);
    else groups.set(endpoint.locality, [endpoint]);
  }
  return [...groups.entries()]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([locality, members]) => ({
      locality,
      priority: 0,
      weight: members.reduce((sum, endpoint) => sum + weightOf(endpoint), 0),
      endpoints: members,
    }));
}

function localityEndpoints(group: LocalityGroup): LocalityLbEndpoints {
  const { region, zone, subzone } = parseLocality(group.locality);
  return create(LocalityLbEndpointsSchema, {
    locality: { region, zone, subZone: subzone },
    priority: group.priority,
    loadBalancingWeight: group.weight,
    lbEndpoints: group.endpoints.map(lbEndpoint),
  });
}

function lbEndpoint(endpoint: Endpoint): Init<typeof LbEndpointSchema> {
  return {
    hostIdentifier: {
      case: 'endpoint',
      value: { address: endpoint.unix ? pipeAddress(endpoint.address) : socketAddress(endpoint.address, endpoint.port) },
    },
    healthStatus: endpoint.health === 'draining' ? HealthStatus.DRAINING : HealthStatus.UNKNOWN,
    loadBalancingWeight: weightOf(endpoint),
    metadata: endpoint.tlsMode === 'istio' ? { filterMetadata: { 'envoy.transport_socket_match': { tlsMode: 'istio' } } } : undefined,
  };
}
