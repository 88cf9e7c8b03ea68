// TLS towards clients: whether a filter chain ends it, and what it asks of them.
import { fromBinary } from '@bufbuild/protobuf';
import type { TransportSocket } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { DownstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { planTls, type TlsPlan } from './tls-plan.ts';

export interface DownstreamTlsPlan {
  readonly tls: TlsPlan;
  readonly requiresCertificate: boolean;
  readonly requiresSni: boolean;
}

/** Undefined for a chain in the clear. */
export function planDownstreamTls(
  socket: TransportSocket | undefined,
  problems: string[],
): DownstreamTlsPlan | undefined {
  if (!socket) return undefined;
  const any = socket.configType.case === 'typedConfig' ? socket.configType.value : undefined;
  if (socket.name === 'envoy.transport_sockets.raw_buffer' || any?.typeUrl.endsWith('.RawBuffer'))
    return undefined;
  if (!any?.typeUrl.endsWith('.DownstreamTlsContext')) {
    problems.push(`transport socket ${socket.name} is not supported`);
    return undefined;
  }
  const context = fromBinary(DownstreamTlsContextSchema, any.value);
  const tls = planTls(context.commonTlsContext, problems);
  if (tls.certificates.length + tls.certificateSecrets.length === 0)
    problems.push('Server TlsCertificates must have a certificate specified');
  return {
    tls,
    requiresCertificate: context.requireClientCertificate ?? false,
    requiresSni: context.requireSni ?? false,
  };
}
