// Everyday mistakes, each in a file beside the checkout: `validate` and `pilot` find the same, and what is
// right is left in peace.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { stringify } from 'yaml';
import { loadCases } from '../../conformance/runner/load-cases.ts';
import type { Issue } from '../../src/base/index.ts';
import { parseDocuments, parseMeshConfig } from '../../src/config/index.ts';
import { Pilot } from '../../src/control-plane/index.ts';
import { FileSource } from '../../src/sources/index.ts';
import { analyze } from '../../src/tools/index.ts';

const folder = join(import.meta.dirname, '..', '..', '..', 'shared', 'mistakes');

/** Code, line and what the text must name, by file; no entry, no finding. */
const wanted: Readonly<Record<string, { readonly finding: string; readonly says: RegExp }>> = {
  'double-tls': { finding: 'MT0211:25', says: /port 443 of api\.example\.org/ },
  'dr-unknown-host': { finding: 'MT0206:20', says: /"reviewz"/ },
  'endpoints-kind': { finding: 'MT0402:22', says: /EndpointSlice/ },
  'fault-percent-typo': { finding: 'MT0404:20', says: /percentage: \{value: 100\}/ },
  'gateway-missing-secret': { finding: 'MT0209:20', says: /no Secret nope/ },
  'gateway-other-ns': { finding: 'MT0202:20', says: /there is infra\/edge/ },
  'host-in-two-vs-mesh': { finding: 'MT0207:25', says: /VirtualService default\/r for the same host/ },
  'http-routes-on-passthrough': { finding: 'MT0405:25', says: /passes TLS on/ },
  'missing-subset': { finding: 'MT0203:25', says: /subset "v2".*\(subsets: v1\)/ },
  'port-name-typo': { finding: 'MT0212:20', says: /did you mean "tcp-80"/ },
  'short-host-other-ns': {
    finding: 'MT0201:20',
    says: /there is one in prod: write pay\.prod\.svc\.cluster\.local/,
  },
  'tcp-port-http-rules': { finding: 'MT0405:25', says: /port 80 \("tcp-web"\) is TCP/ },
  'tcp-se-443': { finding: 'MT0210:20', says: /every connection of the mesh to port 443/ },
  'trafficPolicy-at-top': {
    finding: 'MT0102:21',
    says: /"trafficPolicy" beside spec; it belongs below spec/,
  },
  'version-label-as-number': { finding: 'MT0101:9', says: /number 1\.10; write it in quotes: "1\.10"/ },
  'weight-missing': { finding: 'MT0403:25', says: /gets no traffic/ },
  'wrong-destination-port': { finding: 'MT0204:20', says: /no port 80; it has 9080/ },
};

for (const name of readdirSync(folder).map((file) => file.slice(0, -'.yaml'.length))) {
  test(`${name}: ${readFileSync(join(folder, `${name}.yaml`), 'utf8')
    .split('\n')[0]
    ?.slice(2)}`, () => {
    const source = new FileSource({ paths: [join(folder, `${name}.yaml`)] });
    const { changed, issues } = source.load();
    source.close();
    const visible = (more: readonly Issue[]): readonly Issue[] =>
      [...issues, ...more.map((issue) => source.place(issue))].filter(({ severity }) => severity !== 'info');
    const found = visible(analyze(changed));
    const { finding, says } = wanted[name] ?? {};
    assert.deepEqual(
      found.map(({ code, origin }) => `${code}:${origin.line}`),
      finding === undefined ? [] : [finding],
    );
    if (says) assert.match(found[0]?.message ?? '', says);
    assert.deepEqual(visible(new Pilot().apply({ changed, removed: [], issues })), found);
  });
}

/**
 * Findings about what resources say of each other, in configurations that the reference accepts: each was
 * looked at, and is right.
 */
const inValidCases: Readonly<Record<string, readonly string[]>> = {
  'actions/fault-delay': ['MT0404 VirtualService cart spec.http[2].fault.delay'],
  'actions/headers-response-on-local-replies': [
    'MT0201 VirtualService cart spec.http[4].route[0].destination.host',
  ],
  'actions/mirror-to-nowhere': [
    'MT0201 VirtualService cart spec.http[0].mirror.host',
    'MT0203 VirtualService cart spec.http[1].mirror.subset',
    'MT0204 VirtualService cart spec.http[3].mirror.port.number',
  ],
  'destination/lookup-short-host': [
    'MT0206 DestinationRule ghost spec.host',
    'MT0206 DestinationRule reviews spec.host',
    'MT0206 DestinationRule stock spec.host',
  ],
  'destination/subset-without-endpoints': [
    'MT0201 VirtualService reviews spec.http[2].route[0].destination.host',
    'MT0203 VirtualService reviews spec.http[1].route[0].destination.subset',
  ],
  'egress/http-and-tcp-without-addresses-on-one-port': ['MT0210 ServiceEntry raw spec.ports[0]'],
  'egress/tcp-without-addresses': ['MT0210 ServiceEntry queue spec.ports[0]'],
  'found/export-to-hides-exact-not-wildcard': [
    'MT0203 VirtualService pay spec.http[1].route[0].destination.subset',
  ],
  'found/random-entries-10': ['MT0210 ServiceEntry s4 spec.ports[0]'],
  'found/selector-misses-exact-host': ['MT0203 VirtualService pay spec.http[1].route[0].destination.subset'],
  'found/share-port-http-and-mongo': ['MT0210 ServiceEntry t spec.ports[0]'],
  'found/virtual-service-gateway-names': ['MT0202 VirtualService z spec.gateways[0]'],
  'gateway/bind-by-name-and-namespace': [
    'MT0202 VirtualService bare-elsewhere spec.gateways[0]',
    'MT0202 VirtualService both spec.gateways[2]',
  ],
  'gateway/delegate': ['MT0205 VirtualService root spec.http[2].delegate'],
  'gateway/destination-port': ['MT0204 VirtualService shop spec.http[3].route[0].destination.port.number'],
  'gateway/grpc': ['MT0201 VirtualService ratings spec.http[1].route[0].destination.host'],
  'gateway/gwapi-no-backend': ['MT0213 HTTPRoute shop'],
  'gateway/gwapi-reference-grant': ['MT0213 HTTPRoute shop'],
  'gateway/gwapi-weights': ['MT0213 HTTPRoute shop'],
  'match/delegate-missing': [
    'MT0205 VirtualService root spec.http[0].delegate',
    'MT0205 VirtualService root spec.http[3].delegate',
  ],
  'match/destination-port': [
    'MT0204 VirtualService shop spec.http[4].route[0].destination.port.number',
    'MT0204 VirtualService shop spec.http[5].route[0].destination.port.number',
  ],
  'match/destination-unknown': [
    'MT0201 VirtualService shop spec.http[0].route[0].destination.host',
    'MT0201 VirtualService shop spec.http[2].route[0].destination.host',
    'MT0203 VirtualService shop spec.http[1].route[0].destination.subset',
    'MT0203 VirtualService shop spec.http[4].route[0].destination.subset',
  ],
  'match/host-upper-case-in-config': ['MT0201 VirtualService reviews spec.http[0].route[0].destination.host'],
  'match/https-port-without-http-rules': [
    'MT0201 VirtualService pay spec.http[0].route[0].destination.host',
    'MT0405 VirtualService pay spec.hosts[0]',
  ],
  'match/service-export-to': ['MT0201 VirtualService shop spec.http[0].route[0].destination.host'],
  'match/tcp-port-without-http-rules': ['MT0405 VirtualService shop spec.hosts[0]'],
  'match/two-virtual-services-oldest-wins': ['MT0207 VirtualService a-newer spec.hosts[0]'],
  'match/weight-zero': ['MT0403 VirtualService reviews spec.http[0].route[2]'],
  'reported/gateway-with-missing-secret': ['MT0209 Gateway shop spec.servers[1].tls.credentialName'],
  'reported/tunnel': ['MT0210 ServiceEntry forward spec.ports[0]'],
  'seed/virtualservice-missing-subset': [
    'MT0203 VirtualService productpage spec.http[0].route[1].destination.subset',
  ],
};

test('what the findings say of configurations that the reference accepts is right', () => {
  const found: Record<string, readonly string[]> = {};
  for (const { name, config, mesh, rejected } of loadCases(
    join(import.meta.dirname, '..', '..', 'conformance'),
  )) {
    if (rejected !== undefined) continue;
    const { resources, issues } = parseDocuments(config, name);
    const { value: meshConfig = {} } =
      Object.keys(mesh).length === 0 ? {} : parseMeshConfig(stringify(mesh), name);
    const notable = [
      ...issues.filter(({ code }) => code === 'MT0102' || code === 'MT0402'),
      ...analyze(resources, { meshConfig }),
    ];
    if (notable.length > 0)
      found[name] = notable
        .map(({ code, origin }) => `${code} ${origin.kind} ${origin.name} ${origin.path}`.trimEnd())
        .sort();
  }
  assert.deepEqual(found, inValidCases);
});

test('the examples have no findings', () => {
  const source = new FileSource({ paths: [join(import.meta.dirname, '..', '..', 'examples')] });
  const { changed, issues } = source.load();
  source.close();
  assert.deepEqual(
    [...issues, ...analyze(changed)].filter(({ severity }) => severity !== 'info'),
    [],
  );
});
