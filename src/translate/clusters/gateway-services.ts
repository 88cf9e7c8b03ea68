// The services that a gateway's routes can reach: it gets no clusters for others.
import { type Audience, destinationsOf, type GatewayPort, type Mesh } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';

export function gatewayServices(
  mesh: Mesh,
  audience: Audience,
  ports: readonly GatewayPort[],
): readonly Service[] {
  const gateways = new Set(ports.flatMap((port) => port.servers.map((server) => server.gateway)));
  const models = [...gateways].flatMap((gateway) =>
    mesh.virtualServicesOfGateway(gateway, audience.namespace),
  );
  const hosts = new Set(models.flatMap((model) => destinationsOf(model).map(({ host = '' }) => host)));
  return [...hosts].sort().flatMap((host) => mesh.serviceFor(audience, host) ?? []);
}
