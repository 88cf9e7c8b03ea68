// The secret service beside the proxy (cluster `sds-grpc`), as a mesh agent serves it.
import { create } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { SecretSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { secretsPort } from '../bootstrap.ts';
import type { Secrets } from './calls.ts';
import { startDiscoveryServer } from './discovery-server.ts';

/**
 * Serves the certificate of the current case's workload under any name, and the mesh's root under the names
 * that stand for one.
 */
export async function startSecretServer(): Promise<{ use(secrets: Secrets): void }> {
  let current: Secrets = { root: '', cert: '', key: '' };
  await startDiscoveryServer({
    address: `127.0.0.1:${secretsPort}`,
    path: '/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets',
    resources: (request) => request.resourceNames.map((name) => secretOf(name, current)),
  });
  return {
    use: (secrets) => {
      current = secrets;
    },
  };
}

function secretOf(name: string, { root, cert, key }: Secrets): Any {
  const isRoot = name === 'ROOTCA' || name.startsWith('file-root');
  const type = isRoot
    ? ({ case: 'validationContext', value: { trustedCa: inline(root) } } as const)
    : ({
        case: 'tlsCertificate',
        value: { certificateChain: inline(cert), privateKey: inline(key) },
      } as const);
  return anyPack(SecretSchema, create(SecretSchema, { name, type }));
}

function inline(text: string): { specifier: { case: 'inlineBytes'; value: Uint8Array } } {
  return { specifier: { case: 'inlineBytes', value: Buffer.from(text) } };
}
