// TLS of gRPC applications: certificates come from the providers of the application's bootstrap file, under
// the names that Istio's has.
// https://github.com/grpc/proposal/blob/master/A29-xds-tls-security.md
import { create } from '@bufbuild/protobuf';
import { type TransportSocket, TransportSocketSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  type CommonTlsContextSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { rootCertificates, workloadCertificate } from '../secrets.ts';
import { any, type Init } from '../wire.ts';

const provider = 'default';
const socketName = 'envoy.transport_sockets.tls';

/** Towards a service whose certificates bear one of the names; any name of the mesh when there are none. */
export function clientTls(subjectAltNames: readonly string[]): TransportSocket {
  const context = { commonTlsContext: commonTls(subjectAltNames) };
  return create(TransportSocketSchema, {
    name: socketName,
    configType: { case: 'typedConfig', value: any(UpstreamTlsContextSchema, context) },
  });
}

export function serverTls(): TransportSocket {
  const context = { commonTlsContext: commonTls([]), requireClientCertificate: true };
  return create(TransportSocketSchema, {
    name: socketName,
    configType: { case: 'typedConfig', value: any(DownstreamTlsContextSchema, context) },
  });
}

function commonTls(subjectAltNames: readonly string[]): Init<typeof CommonTlsContextSchema> {
  return {
    tlsCertificateProviderInstance: { instanceName: provider, certificateName: workloadCertificate },
    validationContextType: {
      case: 'combinedValidationContext',
      value: {
        defaultValidationContext: {
          caCertificateProviderInstance: { instanceName: provider, certificateName: rootCertificates },
          matchSubjectAltNames: subjectAltNames.map((name) => ({
            matchPattern: { case: 'exact', value: name },
          })),
        },
      },
    },
  };
}
