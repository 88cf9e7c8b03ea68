import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type ObjectOfKind, parseDocuments, parseFile, withPosition } from '../../config/index.ts';
import { requestsToTry } from './requests-to-try.ts';

interface Case {
  readonly name: string;
  readonly spec: string;
  readonly expected: readonly string[];
}

const route = 'route: [{destination: {host: web}}]';

const cases: readonly Case[] = [
  {
    name: 'rules of the mesh are no requests of a browser',
    spec: `{hosts: [web], http: [{${route}}]}`,
    expected: [],
  },
  {
    name: 'the last rule is for everybody',
    spec: `{hosts: ["*"], gateways: [g], http: [{match: [{uri: {exact: /login}}], ${route}}, {match: [{uri: {prefix: /shop}}], ${route}}]}`,
    expected: ['curl -s localhost:8080/shop -> web'],
  },
  {
    name: 'weights',
    spec: '{hosts: ["*"], gateways: [g], http: [{route: [{destination: {host: web, subset: v1}, weight: 90}, {destination: {host: web, subset: v2}, weight: 10}]}]}',
    expected: ['curl -s localhost:8080/ -> 90 % v1, 10 % v2'],
  },
  {
    name: 'a host of its own',
    spec: `{hosts: [shop.example.com], gateways: [g], http: [{${route}}]}`,
    expected: ["curl -s localhost:8080/ -H 'Host: shop.example.com' -> web"],
  },
  {
    name: 'faults, with where they are',
    spec: `
  hosts: ["*"]
  gateways: [g]
  http:
  - match: [{headers: {cookie: {regex: "(.*;)?user=alice(;.*)?"}}}]
    fault: {abort: {percentage: {value: 100}, httpStatus: 503}}
    ${route}
  - match: [{headers: {end-user: {exact: bob}}}]
    fault: {delay: {percentage: {value: 100}, fixedDelay: 1.5s}}
    ${route}`,
    expected: [
      'curl -s localhost:8080/ -b user=alice -> HTTP 503 (fault, a.yaml:9)',
      "curl -s localhost:8080/ -H 'end-user: bob' -> 1.5 s later (fault, a.yaml:12)",
    ],
  },
];

for (const { name, spec, expected } of cases) {
  test(name, () => {
    const text = `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v}\nspec: ${spec}\n`;
    const { resources } = parseDocuments(text, 'folder/a.yaml');
    const services = resources.filter(
      (object): object is ObjectOfKind<'VirtualService'> => object.kind === 'VirtualService',
    );
    const found = requestsToTry(services, {
      authority: 'localhost:8080',
      place: (issue) => withPosition(issue, parseFile({ file: 'f', text })),
    });
    assert.deepEqual(
      found.map(({ command, outcome }) => `${command} -> ${outcome}`),
      expected,
    );
  });
}
