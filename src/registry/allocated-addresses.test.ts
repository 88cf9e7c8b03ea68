// Addresses for services that have none.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { MemoEngine } from '../base/index.ts';
import { parseDocuments } from '../config/index.ts';
import { addressesAt, allocate } from './allocated-addresses.ts';
import { ConfigStore } from './index.ts';

interface Entry {
  readonly name: string;
  readonly host: string;
  readonly spec?: string;
  readonly labels?: string;
}

function positions(entries: readonly Entry[]): ReadonlyMap<string, number> {
  const store = new ConfigStore(new MemoEngine(), { domain: 'cluster.local' });
  for (const { name, host, spec = 'resolution: DNS', labels = '' } of entries)
    for (const resource of parseDocuments(
      `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: ${name}, namespace: default, labels: {${labels}}}\nspec: {hosts: ["${host}"], ports: [{number: 80, name: http, protocol: HTTP}], ${spec}}`,
      'test.yaml',
    ).resources)
      store.put(resource);
  return allocate(store);
}

const addressOf = (entries: readonly Entry[], host: string): string | undefined => {
  const position = positions(entries).get(`default/${host}`);
  return position === undefined ? undefined : addressesAt(position).ipv4;
};

// The second is the reference's own, of a host that two entries declare.
const cases: readonly {
  readonly name: string;
  readonly entries: readonly Entry[];
  readonly host: string;
  readonly expected?: string;
}[] = [
  {
    name: 'one entry',
    entries: [{ name: 'a', host: 'istio.io' }],
    host: 'istio.io',
    expected: '240.240.122.168',
  },
  {
    name: 'two entries of one host share an address',
    entries: [
      { name: 'a', host: 'istio.io' },
      { name: 'b', host: 'istio.io' },
    ],
    host: 'istio.io',
    expected: '240.240.91.120',
  },
  {
    name: 'one with an address',
    entries: [{ name: 'a', host: 'a.b', spec: 'resolution: DNS, addresses: [10.0.0.1]' }],
    host: 'a.b',
  },
  {
    name: 'one that keeps the address dialled',
    entries: [{ name: 'a', host: 'a.b', spec: 'resolution: NONE' }],
    host: 'a.b',
  },
  {
    name: 'a wildcard',
    entries: [{ name: 'a', host: '*.b.c', spec: 'resolution: STATIC, endpoints: [{address: 10.0.0.1}]' }],
    host: '*.b.c',
  },
  {
    name: 'one that wants none',
    entries: [{ name: 'a', host: 'a.b', labels: 'networking.istio.io/enable-autoallocate-ip: "false"' }],
    host: 'a.b',
  },
];

for (const { name, entries, host, expected } of cases)
  test(`allocation: ${name}`, () => {
    assert.equal(addressOf(entries, host), expected);
  });

test('every host has an address of its own, none that ends in 0 or 255, whatever the order', () => {
  const hosts = fc.uniqueArray(fc.nat(5000), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(hosts, (numbers) => {
      const entries = numbers.map((number) => ({ name: `e${number}`, host: `h${number}.example.com` }));
      const found = positions(entries);
      const addresses = [...found.values()].map((position) => addressesAt(position).ipv4);
      assert.equal(new Set(addresses).size, numbers.length);
      for (const address of addresses) assert.match(address, /^240\.240\.\d+\.(?!0$|255$)\d+$/);
      assert.deepEqual(new Map([...positions(entries.toReversed())].sort()), new Map([...found].sort()));
    }),
    { numRuns: 20 },
  );
});

test('IPv6 has the same position', () => {
  assert.deepEqual(addressesAt(255 * 16 + 7), { ipv4: '240.240.16.7', ipv6: '2001:2::f0f0:107' });
  assert.deepEqual(addressesAt(9), { ipv4: '240.240.0.9', ipv6: '2001:2::f0f0:9' });
});
