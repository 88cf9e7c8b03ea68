// Who is given private keys over plaintext xDS, asked over a real stream.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import { SecretSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { parseDocuments } from '../config/index.ts';
import { typeUrlOf } from '../xds/index.ts';
import { Pilot } from './pilot.ts';
import { isLocal } from './secret-policy.ts';
import { testClient } from './testing/test-client.ts';

const data = 'data: {tls.crt: YQ==, tls.key: Yg==, ca.crt: Yw==}';
const config = `
apiVersion: v1
kind: Secret
metadata: {name: edge, namespace: infra}
${data}
---
apiVersion: v1
kind: Secret
metadata: {name: bank}
${data}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: bank}
spec: {host: bank.example.com, workloadSelector: {matchLabels: {app: orders}}, trafficPolicy: {tls: {mode: MUTUAL, credentialName: bank}}}
`;

interface Asking {
  readonly address: string;
  readonly type: string;
  readonly namespace: string;
  readonly app: string;
  readonly secret: string;
}

/**
 * What a client is given that asks for a secret: its name, or nothing within the time in which everything
 * else has been answered.
 */
async function ask(
  t: TestContext,
  { address, type, namespace, app, secret }: Asking,
): Promise<{ given: readonly string[]; events: readonly string[] }> {
  const events: string[] = [];
  const pilot = new Pilot({
    onEvent: (event) => event.kind === 'secrets' && events.push(event.given ? 'given' : 'withheld'),
  });
  const parsed = parseDocuments(config, 'test.yaml');
  assert.deepEqual(
    parsed.issues.filter(({ severity }) => severity === 'error'),
    [],
  );
  pilot.apply({ changed: parsed.resources, removed: [], issues: [] });
  const server = await pilot.serve(address);
  const client = testClient({
    address: server.address.replace('0.0.0.0', '127.0.0.1'),
    id: `${type}~10.9.9.9~x.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, LABELS: { app } },
  });
  t.after(async () => {
    client.stop();
    await server.close();
  });
  const given: string[] = [];
  client.subscribe(typeUrlOf('secret'), [`kubernetes://${secret}`], (resources) => {
    for (const { value } of resources) {
      const { name, type: kind } = fromBinary(SecretSchema, value);
      given.push(`${name} ${kind.case}`);
    }
    return [];
  });
  // Asked for later on the same stream, so answered later.
  const answered = new Promise<void>((resolve) => {
    client.subscribe(typeUrlOf('cluster'), [], () => {
      resolve();
      return [];
    });
  });
  client.start();
  await answered;
  return { given, events };
}

const gateway = { type: 'router', namespace: 'infra', app: 'edge', secret: 'edge' };
const sidecar = { type: 'sidecar', namespace: 'default', app: 'orders', secret: 'bank' };
const local = '127.0.0.1:0';

const cases: readonly (Asking & { readonly name: string; readonly given: boolean })[] = [
  { name: 'a gateway on this machine', address: local, ...gateway, given: true },
  { name: 'a gateway, when others can connect too', address: '0.0.0.0:0', ...gateway, given: false },
  { name: 'a gateway of another namespace', address: local, ...gateway, namespace: 'other', given: false },
  { name: 'a sidecar for which a DestinationRule names it', address: local, ...sidecar, given: true },
  { name: 'that sidecar, when others can connect too', address: '0.0.0.0:0', ...sidecar, given: false },
  { name: 'a sidecar that the rule does not select', address: local, ...sidecar, app: 'other', given: false },
  {
    name: 'a sidecar of the namespace of a gateway',
    address: local,
    ...gateway,
    type: 'sidecar',
    given: false,
  },
];

for (const { name, given, ...asking } of cases)
  test(`${name} ${given ? 'is given the key' : 'is given no key'}`, async (t) => {
    const result = await ask(t, asking);
    assert.deepEqual(result.given, given ? [`kubernetes://${asking.secret} tlsCertificate`] : []);
    assert.deepEqual(result.events, [asking.address === local ? 'given' : 'withheld']);
  });

test('on a socket of the file system', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'meltemi-policy-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  assert.equal((await ask(t, { address: `unix:${join(folder, 'xds.sock')}`, ...gateway })).given.length, 1);
});

test('which addresses are of this machine alone', () => {
  const local = ['127.0.0.1:15010', '127.8.8.8:1', '[::1]:15010', 'localhost:15010', 'unix:/run/x'];
  const open = [
    '0.0.0.0:15010',
    '[::]:15010',
    '10.0.0.1:15010',
    ':15010',
    '127.example.com:1',
    '127.0.0.1.example.com:1',
  ];
  assert.deepEqual([...local, ...open].filter(isLocal), local);
});
