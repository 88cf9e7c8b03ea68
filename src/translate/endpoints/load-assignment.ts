// The endpoints of one cluster, grouped by locality.
import { create } from '@bufbuild/protobuf';
import { HealthStatus } from '@meltemi/envoy-api/envoy/config/core/v3/health_check';
import {
  type ClusterLoadAssignment,
  ClusterLoadAssignmentSchema,
} from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import {
  type LbEndpointSchema,
  type LocalityLbEndpoints,
  LocalityLbEndpointsSchema,
} from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint_components';
import ipaddr from 'ipaddr.js';
import type { Audience, Mesh } from '../../mesh/index.ts';
import { type Endpoint, type EndpointHealth, parseLocality, selects } from '../../registry/index.ts';
import type { AssignmentKind } from '../features/assignment-kind.ts';
import { applyLocality } from '../features/locality.ts';
import { type LocalityGroup, weightOf } from '../features/locality-group.ts';
import { type OutboundTarget, targetName } from '../outbound-target.ts';
import { type Init, pipeAddress, socketAddress } from '../wire.ts';

export function clusterLoadAssignment(
  mesh: Mesh,
  audience: Audience,
  target: OutboundTarget,
  kind: AssignmentKind,
): ClusterLoadAssignment {
  const endpoints = mesh
    .endpoints(target.service)
    .filter((endpoint) => endpoint.servicePort === target.port.name && isReachable(endpoint, kind))
    .filter((endpoint) => isWanted(target, endpoint) && selects(target.subset?.labels ?? {}, endpoint.labels))
    .filter((endpoint) => !target.service.nodeLocal || (endpoint.nodeName ?? '') === audience.node)
    .map((endpoint) =>
      takesMutualTls(mesh, target, endpoint) ? endpoint : { ...endpoint, tlsMode: 'disabled' as const },
    )
    .filter((endpoint) => !target.passesTls || endpoint.tlsMode === 'istio');
  const groups = applyLocality({ mesh, audience, target, kind }, groupByLocality(inRange(endpoints)));
  return create(ClusterLoadAssignmentSchema, {
    clusterName: targetName(target),
    endpoints: groups.map(localityEndpoints),
  });
}

function isReachable({ address, unix }: Endpoint, kind: AssignmentKind): boolean {
  return address !== '' && (kind === 'inline' || unix || ipaddr.isValid(address));
}

/** On a service: sessions stay with an endpoint that is about to go. */
const sessionLabels = ['istio.io/persistent-session', 'istio.io/persistent-session-header'] as const;

/** On a workload: as if it were about to go. */
const drainingLabel = 'istio.io/draining';

function healthOf({ labels, health }: Endpoint): EndpointHealth {
  return labels[drainingLabel] && health !== 'unhealthy' ? 'draining' : health;
}

/**
 * Endpoints that are not ready count in their priority, unless Envoy may send to them when too few are
 * healthy.
 */
function isWanted(target: OutboundTarget, endpoint: Endpoint): boolean {
  const keepsSessions = sessionLabels.some((key) => target.service.labels[key]);
  switch (healthOf(endpoint)) {
    case 'healthy':
      return true;
    case 'draining':
      return keepsSessions;
    case 'unhealthy':
      return keepsSessions || mayPanic(target) === false;
  }
}

/** Whether Envoy sends to every endpoint of a cluster when fewer than some share are healthy. */
export function mayPanic({ service, policy }: Pick<OutboundTarget, 'service' | 'policy'>): boolean {
  return service.trafficDistribution === undefined && (policy.outlierDetection?.minHealthPercent ?? 0) > 0;
}

/**
 * What a rule says of TLS holds for every endpoint; else the policy for the endpoint's own workload and port.
 */
function takesMutualTls(mesh: Mesh, { rule, subset, port }: OutboundTarget, endpoint: Endpoint): boolean {
  const said = subset ? subset.trafficPolicy : rule?.trafficPolicy;
  const tls =
    said?.portLevelSettings?.find((settings) => settings.port?.number === port.number && settings.tls)?.tls ??
    said?.tls;
  if (tls) return tls.mode === 'ISTIO_MUTUAL';
  if (endpoint.tlsMode !== 'istio') return false;
  const own = mesh.mutualTls(endpoint.namespace, endpoint.labels);
  return (own.ports.get(endpoint.port) ?? own.mode) !== 'DISABLE';
}

/** Envoy's limit for the weights of a cluster's endpoints together. */
const heaviest = 0xffffffff;

/** The same shares, with weights that Envoy can add up. */
function inRange(endpoints: readonly Endpoint[]): readonly Endpoint[] {
  const total = endpoints.reduce((sum, endpoint) => sum + weightOf(endpoint), 0);
  if (total <= heaviest) return endpoints;
  const factor = (heaviest - endpoints.length) / total;
  return endpoints.map((endpoint) => ({
    ...endpoint,
    weight: Math.max(1, Math.trunc(weightOf(endpoint) * factor)),
  }));
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

const healthStatus = {
  healthy: HealthStatus.UNKNOWN,
  unhealthy: HealthStatus.UNHEALTHY,
  draining: HealthStatus.DRAINING,
};

function lbEndpoint(endpoint: Endpoint): Init<typeof LbEndpointSchema> {
  return {
    hostIdentifier: {
      case: 'endpoint',
      value: {
        address: endpoint.unix
          ? pipeAddress(endpoint.address)
          : socketAddress(endpoint.address, endpoint.port),
      },
    },
    healthStatus: healthStatus[healthOf(endpoint)],
    loadBalancingWeight: weightOf(endpoint),
    metadata:
      endpoint.tlsMode === 'istio'
        ? { filterMetadata: { 'envoy.transport_socket_match': { tlsMode: 'istio' } } }
        : undefined,
  };
}
