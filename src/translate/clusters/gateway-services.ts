// The services that a gateway's routes can reach: it gets no clusters for others.
import type { Audience, GatewayPort, Mesh } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';

export function gatewayServices(mesh: Mesh, audience: Audience, ports: readonly GatewayPort[]): readonly Service[] {
  const gateways = new Set(ports.flatMap((port) => port.servers.map((server) => server.gateway)));
  const hosts = new Set<string>();
  for (const gateway of gateways) {
    for (const model of mesh.virtualServicesOfGateway(gateway, audience.namespace)) {
      for (const rule of model.http) {
        for (const target of rule.route ?? []) hosts.add(target.destination?.host ?? '');
        for (const mirror of rule.mirrors ?? []) hosts.add(mirror.destination?.host ?? '');
        if (rule.mirror) hosts.add(rule.mirror.host ?? '');
      }
      for (const rule of [...model.tls, ...model.tcp]) for (const target of rule.route ?? []) hosts.add(target.destination?.host ?? '');
    }
  }
  return [...hosts].sort().flatMap((host) => mesh.serviceFor(audience.namespace, host) ?? []);
}
