// The filter chains that a TCP or TLS port of a service gives a sidecar: from the VirtualServices of its
// host, else straight to it.
import type { RouteDestination, TrafficPolicy } from '../../config/index.ts';
import {
  type Audience,
  type DestinationRuleModel,
  type EgressScope,
  type Mesh,
  meshGateway,
  type SubsetModel,
} from '../../mesh/index.ts';
import { isTls, type Service, type ServicePort } from '../../registry/index.ts';
import { concernsClient, type MatchClient } from '../features/route-match.ts';
import { outboundCluster, parseClusterName } from '../names.ts';
import type { TcpChain } from './plan.ts';
import type { TcpTarget } from './tcp-proxy.ts';

export interface TcpPort {
  readonly mesh: Mesh;
  readonly audience: Audience;
  /** The listener of the client's scope that it is for. */
  readonly egress: EgressScope;
  readonly service: Service;
  readonly port: ServicePort;
  /** Range that the service claims, when the listener is the wildcard's. */
  readonly subnet?: string;
  /** Whether the address already tells which service is meant. */
  readonly ownAddress: boolean;
}

export function tcpChains(input: TcpPort): readonly TcpChain[] {
  return isTls(input.port.protocol) ? tlsChains(input) : plainChains(input);
}

function tlsChains(input: TcpPort): readonly TcpChain[] {
  const { mesh, audience, egress, service } = input;
  const client = clientOf(input);
  const chains: TcpChain[] = [];
  for (const model of mesh.virtualServicesOf(audience.namespace, egress, service.hostname)) {
    for (const route of model.tls) {
      for (const match of route.match ?? []) {
        if (!concernsClient(match, client)) continue;
        const subnets = match.destinationSubnets?.length ? match.destinationSubnets : subnetsOf(input);
        chains.push({
          ...routed(input, route.route ?? [], model.name, model.namespace),
          sniHosts: (match.sniHosts ?? []).map((host) => host.toLowerCase()),
          subnets,
          origins: [...match.origins, ...route.origins],
        });
      }
    }
  }
  if (chains.length > 0) return chains;
  return [
    {
      ...direct(input),
      sniHosts: input.ownAddress ? [] : [service.hostname],
      subnets: subnetsOf(input),
      origins: [input.port.origin],
    },
  ];
}

function plainChains(input: TcpPort): readonly TcpChain[] {
  const { mesh, audience, egress, service } = input;
  const client = clientOf(input);
  const chains: TcpChain[] = [];
  for (const model of mesh.virtualServicesOf(audience.namespace, egress, service.hostname)) {
    for (const route of model.tcp) {
      const target = {
        ...routed(input, route.route ?? [], model.name, model.namespace),
        origins: route.origins,
      };
      const matches = (route.match ?? []).filter((match) => concernsClient(match, client));
      const everywhere = !route.match?.length || matches.some((match) => !match.destinationSubnets?.length);
      if (everywhere) return [...chains, { ...target, sniHosts: [], subnets: subnetsOf(input) }];
      const subnets = matches.flatMap((match) => match.destinationSubnets ?? []);
      if (subnets.length > 0) chains.push({ ...target, sniHosts: [], subnets });
    }
  }
  const { origin } = input.port;
  return [...chains, { ...direct(input), sniHosts: [], subnets: subnetsOf(input), origins: [origin] }];
}

function clientOf({ audience, port }: TcpPort): MatchClient {
  return {
    labels: audience.labels,
    namespace: audience.namespace,
    gateways: [meshGateway],
    port: port.number,
  };
}

function subnetsOf({ subnet }: TcpPort): readonly string[] {
  return subnet === undefined ? [] : [subnet];
}

type Routed = Pick<TcpChain, 'targets' | 'statPrefix' | 'policy' | 'lookUpPort'>;

function direct({ mesh, audience, service, port }: TcpPort): Routed {
  // A socket has no port to tell: that of a service with one.
  const number = port.number || (service.ports.length === 1 && service.ports[0]?.number) || 0;
  const cluster = outboundCluster(number, undefined, service.hostname);
  return {
    targets: [{ cluster, weight: 1 }],
    statPrefix: cluster,
    policy: listenerPolicy(mesh.destinationRule(audience, service), undefined),
    lookUpPort: service.resolution === 'dynamic-dns' ? number : undefined,
  };
}

/** Where a rule sends connections, with what the first destination's policy asks of the listener. */
export function routed(
  {
    mesh,
    audience,
    port,
  }: Pick<TcpPort, 'mesh' | 'audience'> & { readonly port: Pick<ServicePort, 'number'> },
  route: readonly RouteDestination[],
  name: string,
  namespace: string,
): Routed {
  const targets = tcpTargets(mesh, audience, route, port.number);
  const first = route[0]?.destination;
  const service = first && mesh.serviceFor(audience, first.host ?? '');
  const rule = service && mesh.destinationRule(audience, service);
  const subset = rule?.subsets.find((candidate) => candidate.name === first?.subset);
  const isLookedUp = targets.length === 1 && service?.resolution === 'dynamic-dns';
  return {
    targets,
    statPrefix: targets.length === 1 ? (targets[0]?.cluster ?? '') : `${name}.${namespace}`,
    policy: service && listenerPolicy(rule, subset),
    lookUpPort: isLookedUp ? parseClusterName(targets[0]?.cluster ?? '')?.port : undefined,
  };
}

/** What a listener enforces of a policy; settings of single ports concern the cluster only. */
function listenerPolicy(
  rule: DestinationRuleModel | undefined,
  subset: SubsetModel | undefined,
): TrafficPolicy {
  // A subset does not inherit the tunnel:
  // https://istio.io/latest/docs/tasks/traffic-management/egress/http-proxy/ names subsets for it.
  return {
    ...rule?.trafficPolicy,
    ...subset?.trafficPolicy,
    tunnel: (subset ?? rule)?.trafficPolicy?.tunnel,
  };
}

/** Weight 0 takes no part unless the destination is alone. */
export function tcpTargets(
  mesh: Mesh,
  audience: Audience,
  route: readonly RouteDestination[],
  listenerPort: number,
): readonly TcpTarget[] {
  const wanted = route.length === 1 ? route : route.filter((target) => (target.weight ?? 0) > 0);
  return wanted.map(({ destination, weight }) => {
    const host = destination?.host ?? '';
    const ports = mesh.serviceFor(audience, host)?.ports ?? [];
    const port =
      destination?.port?.number ?? (ports.length === 1 ? (ports[0]?.number ?? listenerPort) : listenerPort);
    return {
      cluster: outboundCluster(port, destination?.subset, mesh.clusterHost(audience, host)),
      weight: weight || 1,
    };
  });
}
