// Which endpoints a client prefers: priorities and shares by the client's place and the settings in force.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { translateText } from '../testdata-mesh.ts';

const places = ['eu/1/a', 'eu/1/b', 'eu/2/a', 'us/1/a'];
const endpoints = places.map(
  (locality, i) =>
    `{address: 10.1.0.${i + 1}, locality: ${locality}, labels: {tier: "${i % 2}", rack: r${i}}}`,
);
const entry = `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: a}\nspec: {hosts: [a.example.com], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [${endpoints.join(', ')}]}`;
const rule = (policy: string): string =>
  `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: a}\nspec: {host: a.example.com, trafficPolicy: {${policy}}}`;
const located = (setting: string, more = 'outlierDetection: {}'): string =>
  rule(`loadBalancer: {localityLbSetting: {${setting}}}${more && `, ${more}`}`);

interface Group {
  readonly locality?: { readonly region?: string; readonly zone?: string; readonly sub_zone?: string };
  readonly priority?: number;
  readonly load_balancing_weight?: number;
}

interface Case {
  readonly name: string;
  readonly rule: string;
  readonly mesh?: unknown;
  readonly labels?: Readonly<Record<string, string>>;
  readonly at?: string;
  /** Priority, and share where there is one, of each place in `places`; `-`: left out. */
  readonly expected: string;
}

const cases: readonly Case[] = [
  { name: 'by region, zone and subzone', rule: located('enabled: true'), expected: '0 1 2 3' },
  {
    name: 'for a client of another region',
    rule: located('enabled: true'),
    at: 'us/1/a',
    expected: '1 1 1 0',
  },
  {
    name: 'for a client of nowhere all are the same',
    rule: located('enabled: true'),
    at: '',
    expected: '0 0 0 0',
  },
  { name: 'not without outlier detection', rule: located('enabled: true', ''), expected: '0 0 0 0' },
  {
    name: 'nor by that of the mesh alone',
    rule: located('enabled: true', ''),
    mesh: { defaultTrafficPolicy: { outlierDetection: { consecutive5xxErrors: 5 } } },
    expected: '0 0 0 0',
  },
  { name: 'not when it is switched off', rule: located('enabled: false'), expected: '0 0 0 0' },
  { name: 'failover to a region', rule: located('failover: [{from: eu, to: us}]'), expected: '0 1 2 3' },
  {
    name: 'labels of both',
    rule: located('failoverPriority: [tier, rack]'),
    labels: { tier: '1', rack: 'r3' },
    expected: '2 1 2 0',
  },
  {
    name: 'a label without a value is one that the client lacks, too',
    rule: located('failoverPriority: [nothing]'),
    expected: '0 0 0 0',
  },
  {
    name: 'a label with a value of its own',
    rule: located('failoverPriority: ["tier=1"]'),
    expected: '1 0 1 0',
  },
  {
    name: 'labels of places',
    rule: located('failoverPriority: [topology.kubernetes.io/region, topology.kubernetes.io/zone]'),
    expected: '0 0 1 2',
  },
  {
    name: 'shares need no outlier detection',
    rule: located('distribute: [{from: "eu/*", to: {"eu/*": 80, "us/*": 20}}]', ''),
    expected: '0:27 0:27 0:27 0:20',
  },
  {
    name: 'shares from elsewhere',
    rule: located('distribute: [{from: "us/*", to: {"us/*": 100}}]', ''),
    expected: '0 0 0 0',
  },
  {
    name: 'the first shares that fit',
    rule: located('distribute: [{from: eu/1/a, to: {eu/1/a: 100}}, {from: "*", to: {"us/*": 100}}]', ''),
    expected: '0:100 - - -',
  },
];

for (const { name, rule: written, mesh = {}, labels = {}, at = 'eu/1/a', expected } of cases)
  test(`locality: ${name}`, () => {
    const wanted = 'endpoint/outbound|80||a.example.com endpoints';
    const out = translateText(
      { client: { locality: at, labels }, mesh, show: [wanted] },
      `${entry}\n---\n${written}`,
    );
    const groups = (out[wanted] ?? []) as readonly Group[];
    const shown = places.map((place) => {
      const [region, zone, subzone] = place.split('/');
      const group = groups.find(
        ({ locality = {} }) =>
          locality.region === region && locality.zone === zone && locality.sub_zone === subzone,
      );
      const share = expected.includes(':') ? `:${group?.load_balancing_weight}` : '';
      return group ? `${group.priority ?? 0}${share}` : '-';
    });
    assert.equal(shown.join(' '), expected);
  });
