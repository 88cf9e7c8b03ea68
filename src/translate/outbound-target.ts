// What one outbound cluster stands for: a port of a service, whole or a subset of it, with the policy in
// force.
import type { TrafficPolicy } from '../config/index.ts';
import {
  type Audience,
  type DestinationRuleModel,
  effectivePolicy,
  type Mesh,
  type SubsetModel,
} from '../mesh/index.ts';
import type { Service, ServicePort } from '../registry/index.ts';
import { clusterSni, outboundCluster, parseClusterName, parseClusterSni } from './names.ts';

/** Everything that decides one outbound cluster. */
export interface OutboundTarget {
  readonly service: Service;
  readonly port: ServicePort;
  readonly rule?: DestinationRuleModel;
  readonly subset?: SubsetModel;
  readonly policy: TrafficPolicy;
  /** The same without the mesh's default. */
  readonly declared: TrafficPolicy;
  /**
   * Whether TLS of the mesh passes through as it comes, to endpoints that can end it: what a gateway does for
   * other networks.
   */
  readonly passesTls?: boolean;
}

export function outboundTargets(mesh: Mesh, audience: Audience, service: Service): readonly OutboundTarget[] {
  if (service.resolution === 'alias') return [];
  const rule = mesh.destinationRule(audience, service);
  return service.ports
    .filter((port) => port.protocol !== 'udp')
    .flatMap((port) =>
      [undefined, ...(rule?.subsets ?? [])].map((subset) => ({
        service,
        port,
        rule,
        subset,
        policy: mesh.trafficPolicy(rule, port.number, subset),
        declared: effectivePolicy(rule, port.number, subset),
      })),
    );
}

/** The same targets behind a gateway's AUTO_PASSTHROUGH: named as the SNI of connections to them. */
export function passedTargets(mesh: Mesh, audience: Audience, service: Service): readonly OutboundTarget[] {
  if (service.meshExternal) return [];
  return outboundTargets(mesh, audience, service).map((target) => ({ ...target, passesTls: true }));
}

export function targetName({ port, subset, service, passesTls }: OutboundTarget): string {
  if (passesTls)
    return clusterSni({
      direction: 'outbound',
      port: port.number,
      subset: subset?.name ?? '',
      host: service.hostname,
    });
  return outboundCluster(port.number, subset?.name, service.hostname);
}

/** What the cluster of that name stands for, if an audience has it. */
export function targetNamed(mesh: Mesh, audience: Audience, name: string): OutboundTarget | undefined {
  const passed = parseClusterSni(name);
  const parsed = passed ?? parseClusterName(name);
  if (parsed?.direction !== 'outbound') return undefined;
  const service = mesh.serviceFor(audience, parsed.host);
  const targetsOf = passed ? passedTargets : outboundTargets;
  return service && targetsOf(mesh, audience, service).find((target) => targetName(target) === name);
}
