// The Host values by which a client may mean a service.
import type { Audience, Mesh } from '../../mesh/index.ts';
import { isWildcard, type Service } from '../../registry/index.ts';

export function hostDomains(mesh: Mesh, audience: Audience, service: Service): readonly string[] {
  const own = spellings(mesh, audience, service);
  const aliases = mesh.aliasesOf(audience.namespace, service).flatMap((alias) => spellings(mesh, audience, alias));
  // The pods of a headless service go by `pod.service`.
  const pods = service.headless ? own.map((name) => `*.${name}`) : [];
  const address = service.addresses[0];
  return [...new Set([...own, ...aliases, ...pods, ...(address ? [bracketed(address)] : [])])];
}

function spellings(mesh: Mesh, audience: Audience, service: Service): readonly string[] {
  const { hostname } = service;
  const full = [hostname, `${hostname}.`];
  const suffix = `.svc.${mesh.settings.domain}`;
  if (service.source !== 'kubernetes' && !hostname.endsWith(suffix)) return full;
  if (isWildcard(hostname) || !hostname.endsWith(suffix)) return full;
  const short = hostname.slice(0, -suffix.length);
  const [name = '', namespace = ''] = short.split('.');
  return [...full, ...(namespace === audience.namespace && short === `${name}.${namespace}` ? [name] : []), `${short}.svc`, short];
}

function bracketed(address: string): string {
  return address.includes(':') ? `[${address}]` : address;
}
