// Kubernetes secrets as Envoy secrets, for gateways that name them by `credentialName`.
// https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/#key-formats
import { create } from '@bufbuild/protobuf';
import { type Secret, SecretSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import type { ConfigStore, ObjectOf } from '../registry/index.ts';
import { parseCredential, rootsSuffix } from './secrets.ts';

/** Undefined when the secret is missing or holds no such thing: the listener that needs it waits. */
export function kubernetesSecret(store: ConfigStore, name: string, namespace: string): Secret | undefined {
  const wanted = parseCredential(name, namespace);
  // A gateway reads the secrets of its own namespace only.
  if (!wanted || wanted.namespace !== namespace) return undefined;
  const read = (secret: string): ObjectOf<'Secret'> | undefined => store.table('Secret').get(`${wanted.namespace}/${secret}`);
  return wanted.roots ? rootsOf(name, read(wanted.name + rootsSuffix) ?? read(wanted.name)) : certificateOf(name, read(wanted.name));
}

function certificateOf(name: string, secret: ObjectOf<'Secret'> | undefined): Secret | undefined {
  const chain = dataOf(secret, ['tls.crt', 'cert']);
  const key = dataOf(secret, ['tls.key', 'key']);
  return (
    chain &&
    key &&
    create(SecretSchema, { name, type: { case: 'tlsCertificate', value: { certificateChain: inline(chain), privateKey: inline(key) } } })
  );
}

function rootsOf(name: string, secret: ObjectOf<'Secret'> | undefined): Secret | undefined {
  const roots = dataOf(secret, ['ca.crt', 'cacert']);
  return roots && create(SecretSchema, { name, type: { case: 'validationContext', value: { trustedCa: inline(roots) } } });
}

function dataOf(secret: ObjectOf<'Secret'> | undefined, keys: readonly string[]): Uint8Array | undefined {
  const data: Readonly<Record<string, Uint8Array | undefined>> = secret?.spec.data ?? {};
  return keys.map((key) => data[key]).find((bytes) => bytes !== undefined && bytes.length > 0);
}

function inline(bytes: Uint8Array): { specifier: { case: 'inlineBytes'; value: Uint8Array } } {
  return { specifier: { case: 'inlineBytes', value: bytes } };
}
