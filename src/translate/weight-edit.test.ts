// An edit of weights, by far the most frequent one, costs the same whatever the mesh has: what is computed
// anew is counted.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseDocuments } from '../config/index.ts';
import { meshOfText, testClient } from './testdata-mesh.ts';
import { proxyResources } from './testdata-proxy.ts';

const rule = (name: string, weight: number): string =>
  `apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: ${name}}\nspec: {hosts: [${name}], http: [{route: [{destination: {host: ${name}}, weight: ${weight}}, {destination: {host: other.prod.svc.cluster.local}, weight: 10}]}]}`;
const service = (name: string, namespace = 'default'): string =>
  `apiVersion: v1\nkind: Service\nmetadata: {name: ${name}, namespace: ${namespace}}\nspec: {clusterIP: 10.96.0.1, ports: [{name: http, port: 80}]}`;
const sidecar =
  'apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: {name: s}\nspec: {egress: [{hosts: ["./*"]}]}';

/** How many values a weight edit computes anew, by the size of the mesh. */
function recomputed(services: number, ...more: readonly string[]): number {
  const names = Array.from({ length: services }, (_, i) => `s${i}`);
  const documents = [
    ...names.flatMap((name) => [service(name), rule(name, 1)]),
    service('other', 'prod'),
    ...more,
  ];
  const { engine, store, translator } = meshOfText(documents.join('\n---\n'));
  const read = (): void => void [...proxyResources(translator, translator.viewOf(testClient))];
  const count = (): number => [...engine.statistics().recomputed.values()].reduce((sum, one) => sum + one, 0);
  read();
  const before = count();
  const [edited] = parseDocuments(rule('s0', 2), 'edit.yaml').resources;
  assert.ok(edited && store.put(edited));
  read();
  return count() - before;
}

for (const [name, more] of [
  ['without a Sidecar', []],
  ['with a Sidecar that imports less than the rules lead to', [sidecar]],
] as const)
  test(`weight edit ${name}`, () => assert.equal(recomputed(40, ...more), recomputed(4, ...more)));
