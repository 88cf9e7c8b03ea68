// Kubernetes secrets as Envoy secrets, for gateways that name them by `credentialName`.
// https://istio.io/latest/docs/tasks/traffic-management/ingress/secure-ingress/#key-formats
import { create } from '@bufbuild/protobuf';
import {
  type Secret,
  SecretSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { configMapScheme, parentNamespaceAnnotation } from '../mesh/index.ts';
import type { ConfigStore, ObjectOf } from '../registry/index.ts';
import { parseCredential, rootsSuffix } from './secrets.ts';

/** Undefined when the secret is missing or holds no such thing: the listener that needs it waits. */
export function kubernetesSecret(store: ConfigStore, name: string, namespace: string): Secret | undefined {
  const wanted = parseCredential(name, namespace);
  if (!wanted || !mayRead(store, name, wanted.namespace, namespace)) return undefined;
  const key = `${wanted.namespace}/${wanted.name}`;
  if (wanted.kind === 'ConfigMap')
    return wanted.roots ? rootsOfConfigMap(name, store.table('ConfigMap').get(key)) : undefined;
  const read = (path: string): ObjectOf<'Secret'> | undefined => store.table('Secret').get(path);
  return wanted.roots ? rootsOf(name, read(key + rootsSuffix) ?? read(key)) : certificateOf(name, read(key));
}

/**
 * A proxy reads the secrets of its own namespace, and what conversion from Gateway API has found to be
 * allowed: certificates of a Gateway, and the authorities of a policy. The names of the objects that it makes
 * are none that users can write.
 */
function mayRead(store: ConfigStore, name: string, owner: string, namespace: string): boolean {
  if (owner === namespace) return true;
  const isMade = ({ metadata }: { readonly metadata: { readonly name: string } }): boolean =>
    metadata.name.includes('~');
  const servers = store
    .table('Gateway')
    .values()
    .filter((gateway) => isMade(gateway) && homeOf(gateway) === namespace);
  const asServer = servers
    .flatMap(({ spec }) => spec.servers ?? [])
    .some(({ tls }) =>
      [tls?.credentialName, tls?.caCertCredentialName, ...(tls?.credentialNames ?? [])].includes(name),
    );
  if (asServer || !name.startsWith(configMapScheme)) return asServer;
  const policies = store.table('DestinationRule').values().filter(isMade);
  const settings = policies.flatMap(({ spec: { trafficPolicy } }) => [
    trafficPolicy?.tls,
    ...(trafficPolicy?.portLevelSettings ?? []).map(({ tls }) => tls),
  ]);
  return settings.some((tls) => tls?.credentialName && `${tls.credentialName}${rootsSuffix}` === name);
}

/** Where the pods are that a Gateway is for. */
function homeOf({ metadata }: ObjectOf<'Gateway'>): string {
  return metadata.annotations[parentNamespaceAnnotation] ?? metadata.namespace;
}

function rootsOfConfigMap(name: string, object: ObjectOf<'ConfigMap'> | undefined): Secret | undefined {
  const text = object?.spec.data?.['ca.crt'];
  if (!text) return undefined;
  const trustedCa = inline(new TextEncoder().encode(text));
  return create(SecretSchema, { name, type: { case: 'validationContext', value: { trustedCa } } });
}

function certificateOf(name: string, secret: ObjectOf<'Secret'> | undefined): Secret | undefined {
  const chain = dataOf(secret, ['tls.crt', 'cert']);
  const key = dataOf(secret, ['tls.key', 'key']);
  return (
    chain &&
    key &&
    create(SecretSchema, {
      name,
      type: { case: 'tlsCertificate', value: { certificateChain: inline(chain), privateKey: inline(key) } },
    })
  );
}

function rootsOf(name: string, secret: ObjectOf<'Secret'> | undefined): Secret | undefined {
  const roots = dataOf(secret, ['ca.crt', 'cacert']);
  return (
    roots &&
    create(SecretSchema, { name, type: { case: 'validationContext', value: { trustedCa: inline(roots) } } })
  );
}

function dataOf(secret: ObjectOf<'Secret'> | undefined, keys: readonly string[]): Uint8Array | undefined {
  const data: Readonly<Record<string, Uint8Array | undefined>> = secret?.spec.data ?? {};
  return keys.map((key) => data[key]).find((bytes) => bytes !== undefined && bytes.length > 0);
}

function inline(bytes: Uint8Array): { specifier: { case: 'inlineBytes'; value: Uint8Array } } {
  return { specifier: { case: 'inlineBytes', value: bytes } };
}
