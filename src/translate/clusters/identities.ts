// The SPIFFE identities that the endpoints of a service may present.
import type { Mesh } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';

export function identitiesOf(mesh: Mesh, service: Service): readonly string[] {
  const { trustDomain, trustDomainAliases } = mesh.settings;
  const accounts = new Set<string>();
  for (const endpoint of mesh.endpoints(service))
    if (endpoint.serviceAccount) accounts.add(`ns/${endpoint.namespace}/sa/${endpoint.serviceAccount}`);
  const ids = [...accounts].flatMap((account) =>
    [trustDomain, ...trustDomainAliases].map((domain) => `spiffe://${domain}/${account}`),
  );
  return [...new Set([...service.subjectAltNames, ...service.serviceAccounts, ...ids])].sort();
}
