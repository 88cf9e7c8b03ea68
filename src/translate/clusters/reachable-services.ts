// The services that a sidecar has clusters for: those in its scope, and the destinations of the VirtualServices in its scope.
import { type Audience, importsService, importsVirtualService, isVisible, type Mesh } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';
import { parseClusterName } from '../names.ts';
import { egressProxyCluster } from '../routes/sidecar-routes.ts';

export function reachableServices(mesh: Mesh, audience: Audience): readonly Service[] {
  const visible = mesh.visibleServices(audience.namespace).filter((service) => service.resolution !== 'alias');
  const { sidecar, egress } = mesh.scope(audience);
  if (!sidecar?.spec.egress?.length) return visible;
  const wanted = new Set(
    egress.flatMap((scope) => visible.filter((service) => importsService(scope, service)).map((service) => service.key)),
  );
  for (const object of mesh.store.table('VirtualService').values()) {
    const model = mesh.virtualService(`${object.metadata.namespace}/${object.metadata.name}`);
    if (
      !model ||
      !isVisible(model.visibility, audience.namespace) ||
      !egress.some((scope) => importsVirtualService(scope, model.namespace, model.hosts))
    )
      continue;
    const targets = [...model.http, ...model.tls, ...model.tcp]
      .flatMap((rule) => rule.route ?? [])
      .map((target) => target.destination?.host);
    const mirrors = model.http.flatMap((rule) => [rule.mirror?.host, ...(rule.mirrors ?? []).map((mirror) => mirror.destination?.host)]);
    for (const host of [...targets, ...mirrors]) {
      const service = host && mesh.serviceFor(audience.namespace, host);
      if (service) wanted.add(service.key);
    }
  }
  const proxy = parseClusterName(egressProxyCluster(mesh, audience) ?? '');
  const proxyService = proxy && mesh.serviceFor(audience.namespace, proxy.host);
  if (proxyService) wanted.add(proxyService.key);
  return visible.filter((service) => wanted.has(service.key));
}
