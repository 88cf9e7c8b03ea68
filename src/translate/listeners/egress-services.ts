// The services that one egress listener of a client's scope reaches.
import { type Audience, type EgressScope, importsService, type Mesh } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';

export function egressServices(mesh: Mesh, audience: Audience, egress: EgressScope): readonly Service[] {
  const visible = mesh.visibleServices(audience.namespace);
  const { imports } = egress;
  if (imports.length === 1 && imports[0]?.namespace === '*' && imports[0].host === '*') return visible;
  return visible.filter((service) => importsService(egress, service));
}
