// Where proxies get certificates from: the secret service beside them (`sds-grpc`), by Istio's names.
import { create } from '@bufbuild/protobuf';
import {
  ApiConfigSource_ApiType,
  ApiVersion,
  type ConfigSource,
  ConfigSourceSchema,
} from '@meltemi/envoy-api/envoy/config/core/v3/config_source';
import { type SdsSecretConfig, SdsSecretConfigSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { duration, fromAds } from './wire.ts';

export const workloadCertificate = 'default';
export const rootCertificates = 'ROOTCA';
const secretCluster = 'sds-grpc';

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
  return create(SdsSecretConfigSchema, { name: name.includes('://') ? name : `kubernetes://${name}`, sdsConfig: fromAds });
}
