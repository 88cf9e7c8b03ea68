// The configuration of the benchmark: services on one port, each with two endpoints, two subsets and a
// weighted route.
export const editKinds = ['weight', 'endpoint', 'label'] as const;
export type EditKind = (typeof editKinds)[number];

export const routeName = '80';

/** Every document, by a name that could be its file's. */
export function documents(services: number): Map<string, string> {
  const all = new Map<string, string>();
  for (let i = 0; i < services; i++) {
    all.set(`service-entry-${i}`, serviceEntry(i, 1));
    all.set(`destination-rule-${i}`, destinationRule(i));
    all.set(`virtual-service-${i}`, virtualService(i, 50, '{}'));
  }
  return all;
}

export function streamOf(texts: Iterable<string>): string {
  return [...texts].join('\n---\n');
}

/** The document that the n-th edit of a kind changes. Each differs from the one before. */
export function editedDocument(kind: EditKind, n: number): { readonly name: string; readonly text: string } {
  switch (kind) {
    case 'weight':
      return { name: 'virtual-service-7', text: virtualService(7, n % 2 === 0 ? 90 : 60, '{}') };
    case 'endpoint':
      return { name: 'service-entry-8', text: serviceEntry(8, 2 + (n % 2)) };
    case 'label':
      return { name: 'virtual-service-9', text: virtualService(9, 50, `{edit: "${n}"}`) };
  }
}

function serviceEntry(i: number, last: number): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: service-${i}}
spec:
  hosts: [service-${i}.mesh.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 80, name: http, protocol: HTTP}]
  endpoints:
  - {address: 10.${(i >> 8) % 256}.${i % 256}.${last}, labels: {version: v1}}
  - {address: 10.${(i >> 8) % 256}.${i % 256}.100, labels: {version: v2}}`;
}

function destinationRule(i: number): string {
  return `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: service-${i}}
spec:
  host: service-${i}.mesh.example
  subsets: [{name: v1, labels: {version: v1}}, {name: v2, labels: {version: v2}}]`;
}

function virtualService(i: number, weight: number, labels: string): string {
  const host = `service-${i}.mesh.example`;
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: service-${i}, labels: ${labels}}
spec:
  hosts: [${host}]
  http: [{route: [{destination: {host: ${host}, subset: v1}, weight: ${weight}}, {destination: {host: ${host}, subset: v2}, weight: ${100 - weight}}]}]`;
}
