// The addresses of a case's little network: what is listened on, and what a host's name stands for.
import { parseAllDocuments } from 'yaml';
import type { Case } from './case.ts';

/** The workload (or gateway) under test. */
export const clientAddress = '192.168.255.2';
/** The other end of its link: echo servers and the resolver. */
export const serverAddress = '192.168.255.1';

type Loose = Readonly<Record<string, unknown>>;

export interface Target {
  readonly host: string;
  readonly port: number;
}

export function targetOf(connect: string): Target {
  const colon = connect.lastIndexOf(':');
  return { host: connect.slice(0, colon), port: Number(connect.slice(colon + 1)) };
}

/** Every port that an endpoint of the case may be reached at. */
export function portsOf(one: Case): readonly number[] {
  const ports = new Set<number>();
  const add = (value: unknown): void => {
    if (Number.isInteger(value) && Number(value) > 0 && Number(value) < 65536) ports.add(Number(value));
  };
  for (const port of one.ports) add(port);
  for (const document of resourcesOf(one)) portsOfResource(document, add);
  for (const request of one.requests) add(targetOf(request.connect).port);
  for (const key of Object.keys(one.upstreams)) if (key.includes(':')) add(targetOf(key).port);
  return [...ports];
}

function portsOfResource(document: Loose, add: (value: unknown) => void): void {
  const spec = object(document['spec']);
  for (const port of objects(spec['ports']))
    for (const field of ['number', 'targetPort', 'port']) add(port[field]);
  for (const endpoint of objects(spec['endpoints']))
    for (const port of Object.values(object(endpoint['ports']))) add(port);
  switch (document['kind']) {
    case 'WorkloadEntry':
      for (const port of Object.values(object(spec['ports']))) add(port);
      return;
    case 'EndpointSlice':
      for (const port of objects(document['ports'])) add(port['port']);
      return;
    case 'Endpoints':
      for (const subset of objects(document['subsets']))
        for (const port of objects(subset['ports'])) add(port['port']);
      return;
    default:
  }
}

/**
 * The address that an application would get for each name: the resolver's, or the virtual one that the mesh
 * gives to the host.
 */
export function virtualAddresses(one: Case): ReadonlyMap<string, string> {
  const addresses = new Map<string, string>();
  for (const [name, list] of Object.entries(one.dns)) if (list[0]) addresses.set(name, list[0]);
  addresses.set('workload', clientAddress).set('gateway', clientAddress);
  const put = (name: string, address: string): void => {
    if (!addresses.has(name)) addresses.set(name, address);
  };
  for (const document of resourcesOf(one))
    for (const [host, address] of hostsOf(document))
      for (const name of namesFor(host, one.client.namespace ?? 'default')) put(name, address);
  return addresses;
}

function hostsOf(document: Loose): readonly (readonly [string, string])[] {
  const spec = object(document['spec']);
  const bare = (address: unknown): string => String(address).split('/')[0] ?? '';
  if (document['kind'] === 'ServiceEntry') {
    const address = list(spec['addresses'])[0];
    return address === undefined
      ? []
      : list(spec['hosts']).map((host) => [String(host), bare(address)] as const);
  }
  if (document['kind'] !== 'Service' || spec['clusterIP'] === undefined || spec['clusterIP'] === 'None')
    return [];
  const { name, namespace = 'default' } = object(document['metadata']);
  return [[`${name}.${namespace}.svc.cluster.local`, bare(spec['clusterIP'])]];
}

/** The spellings of a host that a resolver with the usual search domains knows. */
function namesFor(host: string, namespace: string): readonly string[] {
  if (!host.endsWith('.svc.cluster.local')) return [host];
  const [service = '', itsNamespace] = host.split('.');
  const names = [host, host.slice(0, -'.svc.cluster.local'.length), host.slice(0, -'.cluster.local'.length)];
  return itsNamespace === namespace ? [...names, service] : names;
}

export function resourcesOf(one: Case): readonly Loose[] {
  return parseAllDocuments(one.config, { uniqueKeys: false })
    .map((document: { toJS(): unknown }) => document.toJS())
    .filter((value): value is Loose => typeof value === 'object' && value !== null);
}

function object(value: unknown): Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Loose) : {};
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function objects(value: unknown): readonly Loose[] {
  return list(value).map(object);
}
