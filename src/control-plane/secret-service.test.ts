// The secret service beside proxies, over its socket: identities, the mesh's roots, and files by the names of
// Istio's agent.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { fromBinary } from '@bufbuild/protobuf';
import {
  type Secret,
  SecretSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { CertificateAuthority, WorkloadCertificates } from '../identity/index.ts';
import { typeUrlOf } from '../xds/index.ts';
import { SecretService } from './secret-service.ts';
import { testClient } from './testing/test-client.ts';

const pem = (label: string): string => `-----BEGIN ${label}-----\nYWJj\n-----END ${label}-----\n`;

/**
 * What a sidecar is given for each of the names that it asks for at once; the service answers what there is
 * in one response.
 */
async function given(
  t: TestContext,
  address: string,
  names: readonly string[],
): Promise<ReadonlyMap<string, Secret>> {
  const authority = await CertificateAuthority.create({ now: () => new Date() });
  const certificates = new WorkloadCertificates(authority, { now: Date.now, schedule: () => () => {} });
  const service = new SecretService(certificates, 'cluster.local', (error) => assert.fail(String(error)));
  const server = await service.serve(address);
  const client = testClient({
    address: server.address,
    service: 'secrets',
    id: 'sidecar~127.0.0.1~a.default~default.svc.cluster.local',
    metadata: { NAMESPACE: 'default', SERVICE_ACCOUNT: 'shop' },
  });
  t.after(async () => {
    client.stop();
    await server.close();
  });
  const secrets = new Map<string, Secret>();
  await new Promise<void>((resolve) => {
    client.subscribe(typeUrlOf('secret'), ['default', ...names], (resources) => {
      for (const { value } of resources) {
        const secret = fromBinary(SecretSchema, value);
        secrets.set(secret.name, secret);
      }
      if (secrets.has('default')) resolve();
      return [];
    });
    client.start();
  });
  return secrets;
}

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), 'meltemi-sds-'));
  t.after(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

test("files that a resource names, and the machine's own roots, beside the identity", async (t) => {
  const at = folder(t);
  writeFileSync(join(at, 'ca.pem'), pem('CERTIFICATE'));
  writeFileSync(join(at, 'key.pem'), pem('PRIVATE KEY'));
  writeFileSync(join(at, 'notes.txt'), 'nothing to see');
  const certificate = `file-cert:${join(at, 'ca.pem')}~${join(at, 'key.pem')}`;
  const names = ['ROOTCA', 'file-root:system', `file-root:${join(at, 'ca.pem')}`, certificate];
  const refused = [
    `file-root:${join(at, 'notes.txt')}`,
    `file-root:${join(at, 'missing.pem')}`,
    `file-cert:${join(at, 'ca.pem')}~${join(at, 'notes.txt')}`,
  ];
  const secrets = await given(t, `unix:${join(at, 'sds.sock')}`, [...names, ...refused]);
  assert.deepEqual([...secrets.keys()].sort(), ['default', ...names].sort());
  const system = secrets.get('file-root:system')?.type;
  assert.ok(
    system?.case === 'validationContext' && system.value.trustedCa?.specifier.case === 'inlineString',
  );
  assert.ok(system.value.trustedCa.specifier.value.split('BEGIN CERTIFICATE').length > 20);
  assert.equal(secrets.get(certificate)?.type.case, 'tlsCertificate');
});

test('no files over TCP, where others of the machine connect too', async (t) => {
  const at = folder(t);
  writeFileSync(join(at, 'ca.pem'), pem('CERTIFICATE'));
  const secrets = await given(t, '127.0.0.1:0', [`file-root:${join(at, 'ca.pem')}`, 'file-root:system']);
  assert.deepEqual([...secrets.keys()].sort(), ['default', 'file-root:system']);
});

test('the socket of the service is in the file system', async (t) => {
  const path = join(folder(t), 'sds.sock');
  await given(t, `unix:${path}`, []);
  assert.ok(statSync(path).isSocket());
});
