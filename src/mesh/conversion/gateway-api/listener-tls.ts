// The TLS of a listener: its certificates, and those that its clients must show.
// https://gateway-api.sigs.k8s.io/guides/tls/
import {
  type FrontendTLS,
  type GatewayListener,
  knownCipherSuites,
  type SecretObjectReference,
  type ServerTLSSettings,
} from '../../../config/index.ts';
import type { ConfigStore } from '../../../registry/index.ts';
import { workloadCredential } from '../generated.ts';
import { isCertificatePair, isCertificates } from '../pem.ts';
import type { KubeGatewayObject, ListenerSetObject } from './objects.ts';
import type { Attempt, Problem } from './problem.ts';
import { mayRefer } from './references.ts';

/**
 * Schemes of `credentialName` that name an object of any namespace; a Gateway that users wrote cannot have
 * them.
 */
export const gatewaySecretScheme = 'kubernetes-gateway://';
export const configMapScheme = 'configmap://';

const modeOption = 'gateway.istio.io/tls-terminate-mode';
const cipherOption = 'gateway.istio.io/tls-cipher-suites';
const protocolOption = 'gateway.istio.io/listener-protocol';
const networkLabel = 'topology.istio.io/network';
const portLabel = 'networking.istio.io/gatewayPort';
const maxCertificates = 2;

type Tls = NonNullable<GatewayListener['tls']>;

/** The object that declares a listener. */
export type ListenerOwner = KubeGatewayObject | ListenerSetObject;

export interface ListenerHome {
  readonly gateway: KubeGatewayObject;
  readonly owner: ListenerOwner;
}

/** Undefined where the listener declares no TLS. */
export function listenerTls(
  store: ConfigStore,
  { gateway, owner }: ListenerHome,
  listener: GatewayListener,
): Attempt<ServerTLSSettings | undefined> {
  const { tls } = listener;
  if (!tls) return { value: undefined };
  const cipherSuites = cipherSuitesOf(tls);
  if (tls.mode === 'Passthrough')
    return {
      value: {
        mode: passesAutomatically(gateway, listener) ? 'AUTO_PASSTHROUGH' : 'PASSTHROUGH',
        cipherSuites,
      },
    };
  const option = tls.options?.[modeOption];
  // The certificate that the mesh gave the gateway itself.
  if (option === 'ISTIO_MUTUAL') return { value: { mode: 'ISTIO_MUTUAL', cipherSuites } };
  if (option === 'ISTIO_SIMPLE')
    return { value: { mode: 'SIMPLE', credentialName: workloadCredential, cipherSuites } };
  const certificates = certificatesOf(store, owner, tls);
  const clients = clientTrust(store, gateway, listener);
  const implied = clients.value.caCertCredentialName ? 'MUTUAL' : 'SIMPLE';
  const mode = option === 'MUTUAL' || option === 'OPTIONAL_MUTUAL' ? option : implied;
  return {
    value: { mode, cipherSuites, ...certificates.value, ...clients.value },
    problem: certificates.problem ?? clients.problem,
  };
}

/**
 * A gateway towards another network:
 * https://istio.io/latest/docs/setup/install/multicluster/multi-primary_multi-network/
 */
function passesAutomatically({ metadata }: KubeGatewayObject, { tls, port }: GatewayListener): boolean {
  if (tls?.options?.[protocolOption] === 'auto-passthrough') return true;
  return (
    metadata.labels[networkLabel] !== undefined && String(port) === (metadata.labels[portLabel] ?? '15443')
  );
}

function cipherSuitesOf({ options }: Tls): readonly string[] | undefined {
  const names = options?.[cipherOption]
    ?.split(',')
    .flatMap((name) => (knownCipherSuites.includes(name.trim()) ? [name.trim()] : []));
  return names?.length ? names : undefined;
}

function certificatesOf(
  store: ConfigStore,
  owner: ListenerOwner,
  { certificateRefs = [] }: Tls,
): Attempt<ServerTLSSettings> {
  if (certificateRefs.length > maxCertificates)
    return {
      value: {},
      problem: {
        reason: 'InvalidCertificateRef',
        message: `${maxCertificates} certificates are possible, no more`,
      },
    };
  const found = certificateRefs.map((ref) => certificate(store, owner, ref));
  const names = found.flatMap(({ value }) => value ?? []);
  if (names.length > 1) return { value: { credentialNames: names } };
  // One good certificate is enough to serve.
  if (names.length === 1) return { value: { credentialName: names[0] } };
  const problem = found.find((one) => one.problem)?.problem;
  return { value: { credentialName: workloadCredential }, problem };
}

/** A Secret of type TLS that the gateway may use, as a credential. */
export function certificate(
  store: ConfigStore,
  { kind: referrer, metadata }: ListenerOwner,
  { group = '', kind = 'Secret', name, namespace = metadata.namespace }: SecretObjectReference,
): Attempt<string | undefined> {
  const fails = (reason: string, message: string): Attempt<undefined> => ({
    value: undefined,
    problem: { reason, message },
  });
  if (group !== '' || kind !== 'Secret')
    return fails('InvalidCertificateRef', `a certificate is a Secret, not a ${kind}`);
  // Whether the object exists is nobody's business who may not refer to it.
  const from = referrer === 'ListenerSet' ? referrer : 'Gateway';
  if (!mayRefer(store, { kind: from, namespace: metadata.namespace }, { group, kind, namespace, name }))
    return fails(
      'RefNotPermitted',
      `no ReferenceGrant in ${namespace} lets a ${from} of ${metadata.namespace} use the Secret ${name}`,
    );
  const data = store.table('Secret').get(`${namespace}/${name}`)?.spec.data;
  if (!data) return fails('InvalidCertificateRef', `there is no Secret ${namespace}/${name}`);
  if (!isCertificatePair(data['tls.crt'], data['tls.key']))
    return fails(
      'InvalidCertificateRef',
      `the Secret ${namespace}/${name} holds no certificate with its key`,
    );
  return { value: `${gatewaySecretScheme}${namespace}/${name}` };
}

function clientTrust(
  store: ConfigStore,
  gateway: KubeGatewayObject,
  listener: GatewayListener,
): Attempt<ServerTLSSettings> {
  const { validation } = frontendOf(gateway, listener) ?? {};
  const refs = validation?.caCertificateRefs ?? [];
  if (listener.protocol !== 'HTTPS' || refs.length === 0) return { value: {} };
  const found = refs.map((ref) => authority(store, gateway, ref));
  const caCertCredentialName = found.find(({ value }) => value !== undefined)?.value;
  if (caCertCredentialName === undefined) return { value: {}, problem: found[0]?.problem };
  return {
    value: {
      caCertCredentialName,
      insecureSkipVerify: validation?.mode === 'AllowInsecureFallback' || undefined,
    },
  };
}

function frontendOf({ spec }: KubeGatewayObject, { port }: GatewayListener): FrontendTLS | undefined {
  const { perPort = [], default: byDefault } = spec.tls?.frontend ?? {};
  return perPort.find((entry) => entry.port === port)?.tls ?? byDefault;
}

type AuthorityRef = NonNullable<NonNullable<FrontendTLS['validation']>['caCertificateRefs']>[number];

function authority(
  store: ConfigStore,
  { metadata }: KubeGatewayObject,
  { group = '', kind = 'ConfigMap', name, namespace = metadata.namespace }: AuthorityRef,
): Attempt<string | undefined> {
  const fails = (reason: string, message: string): { value: undefined; problem: Problem } => ({
    value: undefined,
    problem: { reason, message },
  });
  if (group !== '' || (kind !== 'ConfigMap' && kind !== 'Secret'))
    return fails('InvalidCACertificateKind', `authorities are in a ConfigMap or Secret, not in a ${kind}`);
  if (!mayRefer(store, { kind: 'Gateway', namespace: metadata.namespace }, { group, kind, namespace, name }))
    return fails(
      'RefNotPermitted',
      `no ReferenceGrant in ${namespace} lets a Gateway of ${metadata.namespace} use the ${kind} ${name}`,
    );
  const path = `${namespace}/${name}`;
  const text =
    kind === 'ConfigMap'
      ? store.table('ConfigMap').get(path)?.spec.data?.['ca.crt']
      : secretText(store, path);
  if (text === undefined || !isCertificates(text))
    return fails(
      'InvalidCACertificateRef',
      `the ${kind} ${path} is missing, or holds no certificates under ca.crt`,
    );
  return { value: `${kind === 'ConfigMap' ? configMapScheme : gatewaySecretScheme}${path}-cacert` };
}

function secretText(store: ConfigStore, path: string): string | undefined {
  const bytes = store.table('Secret').get(path)?.spec.data?.['ca.crt'];
  return bytes && new TextDecoder().decode(bytes);
}
