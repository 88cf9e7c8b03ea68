// The Host values by which a client may mean a service.
import type { Audience, Mesh } from '../../mesh/index.ts';
import { isWildcard, type Service } from '../../registry/index.ts';
import type { RoutePort } from './route-context.ts';
import { aliasesServedWith } from './service-rules.ts';

export function hostDomains(
  mesh: Mesh,
  audience: Audience,
  service: Service,
  at: RoutePort,
): readonly string[] {
  const own = spellings(mesh, audience, service);
  const aliases = aliasesServedWith(mesh, audience, service, at).flatMap((alias) =>
    spellings(mesh, audience, alias),
  );
  // The pods of a headless service go by `pod.service`.
  const pods = service.headless ? own.map((name) => `*.${name}`) : [];
  const address = mesh.addressesOf(audience, service)[0];
  return [...new Set([...own, ...aliases, ...pods, ...(address ? [bracketed(address)] : [])])];
}

function spellings(mesh: Mesh, audience: Audience, service: Service): readonly string[] {
  const { hostname } = service;
  return [hostname, `${hostname}.`, ...shortNames(mesh, audience, service)];
}

/**
 * What a resolver with the search domains of a pod would complete to the host of a service in the cluster.
 */
export function shortNames(mesh: Mesh, audience: Audience, { hostname }: Service): readonly string[] {
  const suffix = `.svc.${mesh.settings.domain}`;
  if (isWildcard(hostname) || !hostname.endsWith(suffix)) return [];
  const short = hostname.slice(0, -suffix.length);
  const [name = '', namespace = ''] = short.split('.');
  return [
    ...(namespace === audience.namespace && short === `${name}.${namespace}` ? [name] : []),
    `${short}.svc`,
    short,
  ];
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
