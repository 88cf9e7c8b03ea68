import assert from 'node:assert/strict';
import { test } from 'node:test';
import { portsOf, virtualAddresses } from './addresses.ts';
import { casesFolder } from './environment.ts';
import { loadCases, readCase } from './load-cases.ts';

function problemsOf(text: string): readonly string[] {
  const problems: string[] = [];
  readCase(text, 'f/c', problems);
  return problems;
}

const request = 'requests: [{name: r, connect: "shop:80", expect: {status: 200}}]';

test('mistakes in a case file are found', () => {
  for (const [text, problem] of [
    [`config: ""\nrequest: []\n${request}`, 'f/c.request is not a field of the format'],
    [`config: 3\n${request}`, 'f/c.config should be string'],
    [`about: x\n${request}`, 'f/c has no config'],
    ['config: ""', 'f/c neither sends a request nor says that it is rejected'],
    [
      'config: ""\nrequests: [{name: r, connect: "shop:80"}]',
      'f/c.requests[0] says nothing of what to expect',
    ],
    [
      'config: ""\nrequests: [{name: r, connect: shop, expect: {}}]',
      'f/c.requests[0].connect is not host:port',
    ],
    [`config: ""\nclient: {kind: router}\n${request}`, 'f/c.client.kind should be sidecar or gateway'],
    [
      'config: ""\nrequests: [{name: r, connect: "a:1", compare: {hit: any}, expect: {}}]',
      'f/c.requests[0].compare.hit is not a field of the format',
    ],
    [
      'config: ""\nrequests: [{name: r, connect: "a:1", expect: {stauts: 200}}]',
      'f/c.requests[0].expect.stauts is not a field of the format',
    ],
    ['nothing', 'f/c is not an object'],
  ])
    assert.deepEqual(problemsOf(text ?? ''), [problem]);
  assert.deepEqual(problemsOf(`config: ""\n${request}`), []);
  assert.deepEqual(problemsOf('config: ""\nrejected: because'), []);
});

test('the cases of the project are well formed', () => {
  const cases = loadCases(casesFolder);
  assert.ok(cases.length >= 400);
  assert.ok(cases.every((one) => one.rejected !== undefined || one.requests.length > 0));
});

test('addresses and ports come from the resources', () => {
  const config = [
    'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {clusterIP: 10.96.0.1, ports: [{port: 80, targetPort: 8080}]}',
    'apiVersion: v1\nkind: Service\nmetadata: {name: cart, namespace: other}\nspec: {clusterIP: 10.96.0.2, ports: [{port: 81}]}',
    'apiVersion: v1\nkind: Service\nmetadata: {name: headless}\nspec: {clusterIP: None, ports: [{port: 82}]}',
    'kind: ServiceEntry\nmetadata: {name: ext}\nspec: {hosts: [a.com], addresses: [240.240.0.1/32], ports: [{number: 443}]}',
  ].join('\n---\n');
  const text = JSON.stringify({
    config,
    dns: { 'b.com': ['10.9.9.9'] },
    upstreams: { '10.1.0.1:7070': { status: 500 } },
    requests: [{ name: 'r', connect: '10.5.5.5:99', expect: {} }],
  });
  const one = readCase(text, 'f/c', []);
  assert.deepEqual([...portsOf(one)].sort(), [443, 7070, 80, 8080, 81, 82, 99].sort());
  const addresses = virtualAddresses(one);
  const known = {
    shop: '10.96.0.1',
    'shop.default': '10.96.0.1',
    'shop.default.svc.cluster.local': '10.96.0.1',
    'cart.other.svc': '10.96.0.2',
  };
  const others = { 'a.com': '240.240.0.1', 'b.com': '10.9.9.9', gateway: '192.168.255.2' };
  for (const [name, address] of Object.entries({ ...known, ...others }))
    assert.equal(addresses.get(name), address, name);
  for (const name of ['cart', 'headless']) assert.equal(addresses.get(name), undefined, name);
});
