import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Origin } from '../../base/index.ts';
import { parseDocuments, parseFile, withPosition } from '../../config/index.ts';
import { meshOfText, testClient } from '../../translate/testdata-mesh.ts';
import { gatewayRoutes } from './gateway-routes.ts';
import { requestsToTry } from './requests-to-try.ts';

interface Case {
  readonly name: string;
  /** Of VirtualServices. */
  readonly specs: readonly string[];
  readonly expected: readonly string[];
}

const route = 'route: [{destination: {host: web}}]';

const cases: readonly Case[] = [
  {
    name: 'rules of the mesh are no requests of a browser',
    specs: [`{hosts: [web], http: [{${route}}]}`],
    expected: [],
  },
  {
    name: 'the last rule is for everybody',
    specs: [
      `{hosts: ["*"], gateways: [g], http: [{match: [{uri: {exact: /login}}], ${route}}, {match: [{uri: {prefix: /shop}}], ${route}}]}`,
    ],
    expected: ['curl -s localhost:8080/shop -> web'],
  },
  {
    name: 'the first match of the last rule',
    specs: [
      `{hosts: ["*"], gateways: [g], http: [{match: [{uri: {exact: /login}}], ${route}}, {match: [{uri: {exact: /page}}, {uri: {prefix: /static}}], ${route}}]}`,
    ],
    expected: ['curl -s localhost:8080/page -> web'],
  },
  {
    name: 'weights',
    specs: [
      '{hosts: ["*"], gateways: [g], http: [{route: [{destination: {host: web, subset: v1}, weight: 90}, {destination: {host: web, subset: v2}, weight: 10}]}]}',
    ],
    expected: ['curl -s localhost:8080/ -> 90 % v1, 10 % v2'],
  },
  {
    name: 'a host of its own, and one for all below a name',
    specs: [`{hosts: [shop.example.com], gateways: [g], http: [{${route}}]}`],
    expected: ["curl -s localhost:8080/ -H 'Host: shop.example.com' -> web"],
  },
  {
    name: 'one for all below a name',
    specs: [`{hosts: ["*.example.com"], gateways: [g], http: [{${route}}]}`],
    expected: ["curl -s localhost:8080/ -H 'Host: www.example.com' -> web"],
  },
  {
    name: 'faults, with where they are',
    specs: [
      `
  hosts: ["*"]
  gateways: [g]
  http:
  - match: [{headers: {cookie: {regex: "(.*;)?user=alice(;.*)?"}}}]
    fault: {abort: {percentage: {value: 100}, httpStatus: 503}}
    ${route}
  - match: [{headers: {end-user: {exact: bob}}}, {headers: {end-user: {exact: bill}}}]
    fault: {delay: {percentage: {value: 100}, fixedDelay: 1.5s}}
    ${route}`,
    ],
    expected: [
      'curl -s localhost:8080/ -b user=alice -> HTTP 503 (fault, a.yaml:9)',
      "curl -s localhost:8080/ -H 'end-user: bob' -> 1.5 s later (fault, a.yaml:12)",
    ],
  },
  {
    name: 'a fault for some, and the others',
    specs: [
      `{hosts: ["*"], gateways: [g], http: [{fault: {abort: {percentage: {value: 20}, httpStatus: 503}}, ${route}}]}`,
    ],
    expected: ['curl -s localhost:8080/ -> 20 % HTTP 503 (fault, a.yaml:4), 80 % web'],
  },
  {
    name: 'what no service stands behind',
    specs: ['{hosts: ["*"], gateways: [g], http: [{route: [{destination: {host: gone}}]}]}'],
    expected: ['curl -s localhost:8080/ -> HTTP 503 (no gone)'],
  },
  {
    name: 'redirects and answers of the gateway itself',
    specs: [
      '{hosts: [a.example], gateways: [g], http: [{redirect: {uri: /new, redirectCode: 302}}]}',
      '{hosts: [b.example], gateways: [g], http: [{directResponse: {status: 418}}]}',
    ],
    expected: ["curl -s localhost:8080/ -H 'Host: b.example' -> HTTP 418"],
  },
  {
    name: 'a route that another one hides is not tried',
    specs: [
      `{hosts: ["*"], gateways: [g], http: [{match: [{uri: {prefix: /}}], ${route}}, {match: [{uri: {prefix: /never}}], fault: {abort: {percentage: {value: 100}, httpStatus: 503}}, ${route}}]}`,
    ],
    expected: ['curl -s localhost:8080/ -> web'],
  },
  {
    name: 'methods and queries',
    specs: [
      `{hosts: ["*"], gateways: [g], http: [{match: [{method: {exact: POST}, queryParams: {v: {exact: "2"}}}], ${route}}]}`,
    ],
    expected: ['curl -s -X POST localhost:8080/?v=2 -> web'],
  },
];

const mesh = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: g}
spec: {selector: {istio: gateway}, servers: [{port: {number: 8080, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: v1
kind: Service
metadata: {name: web}
spec: {ports: [{name: http, port: 80}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: web}
spec: {host: web, subsets: [{name: v1, labels: {v: "1"}}, {name: v2, labels: {v: "2"}}]}
`;

for (const { name, specs, expected } of cases) {
  test(name, () => {
    const texts = specs.map(
      (spec, index) =>
        `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: v${index}}\nspec: ${spec}\n`,
    );
    const text = texts.join('---\n');
    const { resources } = parseDocuments(text, 'folder/a.yaml');
    const file = parseFile({ file: 'folder/a.yaml', text });
    const place = (origin: Origin): Origin => {
      const { line } = resources.find(({ metadata }) => metadata.name === origin.name)?.origin ?? {};
      return withPosition(
        { code: '', severity: 'info', message: '', origin: { ...origin, file: 'folder/a.yaml', line } },
        file,
      ).origin;
    };
    const { translator } = meshOfText(`${text}---${mesh}`);
    const node = { ...testClient, type: 'router', labels: { istio: 'gateway' } } as const;
    const routes = gatewayRoutes(translator, node, 8080);
    const found = routes ? requestsToTry(routes, { authority: 'localhost:8080', place }) : [];
    assert.deepEqual(
      found.map(({ command, outcome }) => `${command} -> ${outcome}`),
      expected,
    );
  });
}
