// Which names a sidecar's applications can resolve to addresses of the mesh, whatever the DNS of the machine
// says.
// https://istio.io/latest/docs/ops/configuration/traffic-management/dns-proxy/
import ipaddr from 'ipaddr.js';
import type { Audience, Mesh } from '../../mesh/index.ts';
import type { Service } from '../../registry/index.ts';
import { shortNames } from '../routes/host-domains.ts';

/** Addresses by name; a name may start with `*.`. */
export type NameTable = ReadonlyMap<string, readonly string[]>;

/** In the order of names. A short name of one service that another has as its host means the latter. */
export function nameTable(mesh: Mesh, audience: Audience): NameTable {
  const full = new Map<string, readonly string[]>();
  const short = new Map<string, readonly string[]>();
  for (const service of mesh.reachableServices(audience)) {
    const addresses = addressesOfName(mesh, audience, service);
    if (addresses.length === 0) continue;
    full.set(service.hostname, addresses);
    for (const name of shortNames(mesh, audience, service)) short.set(name, addresses);
  }
  return new Map([...short, ...full].sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** The service's own addresses; where it is headless, those of its endpoints. */
export function addressesOfName(mesh: Mesh, audience: Audience, service: Service): readonly string[] {
  const isAddress = (text: string): boolean => ipaddr.isValid(text);
  if (!service.headless) return mesh.addressesOf(audience, service).filter(isAddress);
  const ready = mesh.endpoints(service).filter(({ health }) => health === 'healthy');
  return [...new Set(ready.map(({ address }) => address))].filter(isAddress).sort();
}
