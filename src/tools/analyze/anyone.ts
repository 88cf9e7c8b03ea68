// A client of a namespace that no Sidecar narrows: what it cannot see, nobody there can.
import type { Mesh } from '../../mesh/index.ts';
import { kubernetesHost, resolveHost, type Service } from '../../registry/index.ts';

export function seenFrom(mesh: Mesh, namespace: string, host: string): Service | undefined {
  return mesh.serviceFor({ type: 'router', namespace, labels: {} }, host);
}

/**
 * "; there is one in prod: write pay.prod.svc.cluster.local" when a short name means a service of another
 * namespace.
 */
export function sameNameElsewhere(mesh: Mesh, written: string, namespace: string): string {
  const { store } = mesh;
  if (written.includes('.')) return '';
  const namespaces = store
    .table('Service')
    .keys()
    .filter((key) => key.endsWith(`/${written}`))
    .map((key) => key.slice(0, key.indexOf('/')))
    .filter(
      (other) =>
        other !== namespace && seenFrom(mesh, namespace, kubernetesHost(written, other, store.domain)),
    );
  const [other] = namespaces;
  return other === undefined
    ? ''
    : `; there is one in ${namespaces.join(' and ')}: write ${kubernetesHost(written, other, store.domain)}`;
}

export function fullName(mesh: Mesh, host: string, namespace: string): string {
  return resolveHost(host, namespace, mesh.store.domain).toLowerCase();
}
