// Where proxies get certificates from: the secret service beside them (`sds-grpc`), by Istio's names.
import { create } from '@bufbuild/protobuf';
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from '@meltemi/envoy-api/envoy/config/core/v3/config_source';
import {
  type SdsSecretConfig,
  SdsSecretConfigSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { configMapScheme, gatewaySecretScheme, workloadCredential } from '../mesh/index.ts';
import { duration, fromAds } from './wire.ts';

export const workloadCertificate = 'default';
export const rootCertificates = 'ROOTCA';
const secretCluster = 'sds-grpc';
const kubernetesScheme = 'kubernetes://';
/** Of the name under which the authorities of a credential are asked for. */
export const rootsSuffix = '-cacert';

const fromSecretService: ConfigSource = create(ConfigSourceSchema, {
  configSourceSpecifier: {
    case: 'apiConfigSource',
    value: {
      apiType: ApiConfigSource_ApiType.GRPC,
      grpcServices: [{ targetSpecifier: { case: 'envoyGrpc', value: { clusterName: secretCluster } } }],
      setNodeOnFirstMessageOnly: true,
      transportApiVersion: ApiVersion.V3,
    },
  },
  initialFetchTimeout: duration(0),
  resourceApiVersion: ApiVersion.V3,
});

/**
 * For how long a listener or cluster waits for a secret that may not exist: the rest of it, and of the proxy,
 * is not to wait for ever.
 */
const longestWaitMs = 5_000;
const fromControlPlane: ConfigSource = create(ConfigSourceSchema, {
  ...fromAds,
  initialFetchTimeout: duration(longestWaitMs),
});

export function localSecret(name: string): SdsSecretConfig {
  return create(SdsSecretConfigSchema, { name, sdsConfig: fromSecretService });
}

/** Certificate files named in a resource, read by the secret service on the proxy's side. */
export function fileCertificate(certificate: string, key: string): SdsSecretConfig {
  return localSecret(`file-cert:${certificate}~${key}`);
}

export function fileRoots(path: string): SdsSecretConfig {
  return localSecret(`file-root:${path}`);
}

/** A Kubernetes secret by `credentialName`, served by the control plane. */
export function credential(name: string): SdsSecretConfig {
  if (name.startsWith(workloadCredential))
    return localSecret(name.endsWith(rootsSuffix) ? rootCertificates : workloadCertificate);
  return create(SdsSecretConfigSchema, {
    name: name.includes('://') ? name : kubernetesScheme + name,
    sdsConfig: fromControlPlane,
  });
}

/** The Kubernetes object, and what of it, that a name of ours stands for. */
export interface CredentialName {
  readonly kind: 'Secret' | 'ConfigMap';
  readonly namespace: string;
  readonly name: string;
  readonly roots: boolean;
}

export function parseCredential(name: string, namespace: string): CredentialName | undefined {
  const scheme = [kubernetesScheme, gatewaySecretScheme, configMapScheme].find((candidate) =>
    name.startsWith(candidate),
  );
  if (!scheme) return undefined;
  const path = name.slice(scheme.length);
  const roots = path.endsWith(rootsSuffix);
  const whole = roots ? path.slice(0, -rootsSuffix.length) : path;
  const slash = whole.indexOf('/');
  const kind = scheme === configMapScheme ? 'ConfigMap' : 'Secret';
  return slash < 0
    ? { kind, namespace, name: whole, roots }
    : { kind, namespace: whole.slice(0, slash), name: whole.slice(slash + 1), roots };
}
