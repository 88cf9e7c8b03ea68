// What one outbound cluster stands for: a port of a service, whole or a subset of it, with the policy in force.
import type { TrafficPolicy } from '../../config/index.ts';
import type { Audience, DestinationRuleModel, Mesh, SubsetModel } from '../../mesh/index.ts';
import type { Service, ServicePort } from '../../registry/index.ts';
import { outboundCluster } from '../names.ts';

/** Everything that decides one outbound cluster. */
export interface OutboundTarget {
  readonly service: Service;
  readonly port: ServicePort;
  readonly rule?: DestinationRuleModel;
  readonly subset?: SubsetModel;
  readonly policy: TrafficPolicy;
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
      })),
    );
}

export function targetName(target: OutboundTarget): string {
  return outboundCluster(target.port.number, target.subset?.name, target.service.hostname);
}
