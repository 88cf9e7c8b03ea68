// The bootstrap that docs/envoy.md gives to users, in an Envoy.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { parse, stringify } from 'yaml';
import { Pilot } from '../../src/control-plane/index.ts';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { updateOf } from './edited-mesh.ts';
import { DrivenEnvoy, freePort } from './envoy.ts';
import { request } from './load.ts';

const skip = reasonToSkipWithoutEnvoy();
const pollMs = 25;
const page = readFileSync(join(import.meta.dirname, '../../docs/envoy.md'), 'utf8');
const [gateway = '', sidecar = ''] = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(
  ([, text = '']) => text,
);

const edge = (port: number): string => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: edge, namespace: istio-system}
spec: {selector: {istio: ingressgateway}, servers: [{port: {number: ${port}, name: http, protocol: HTTP}, hosts: ["*"]}]}
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: hello, namespace: istio-system}
spec: {hosts: [hello.example], gateways: [edge], http: [{directResponse: {status: 200, body: {string: ok}}}]}`;

test('the documented gateway serves what the pilot is told', { skip, timeout: 60_000 }, async (t) => {
  const port = await freePort();
  const pilot = new Pilot();
  pilot.apply(updateOf([edge(port)]));
  const server = await pilot.serve('127.0.0.1:0');
  const xdsPort = server.address.slice(server.address.lastIndexOf(':') + 1);
  const text = gateway.replaceAll('15010', xdsPort).replaceAll('15000', String(await freePort()));
  assert.notEqual(text, gateway);
  const envoy = DrivenEnvoy.startWith(text);
  t.after(async () => {
    await envoy.stop();
    await server.close();
  });
  let outcome = '';
  for (const deadline = Date.now() + 20_000; outcome !== '200' && Date.now() < deadline; ) {
    outcome = await request(port, 'hello.example');
    if (outcome !== '200') await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
  assert.equal(outcome, '200', envoy.log);
});

test('the documented sidecar is one that the pilot knows', () => {
  const { node } = parse(sidecar) as {
    readonly node: { readonly id: string; readonly metadata: Readonly<Record<string, unknown>> };
  };
  assert.match(node.id, /^sidecar~[\d.]+~[\w.-]+~default\.svc\.cluster\.local$/);
  assert.deepEqual(Object.keys(node.metadata), ['NAMESPACE', 'LABELS', 'DNS_CAPTURE']);
  assert.equal(stringify(node.metadata['DNS_CAPTURE']).trim(), '"true"');
});
