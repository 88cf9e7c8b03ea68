// A cluster's transport socket as a plan. One that is not understood is a problem: its bytes must not go out in
// another way.
import { fromBinary } from '@bufbuild/protobuf';
import type { TransportSocket } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { ProxyProtocolConfig_Version as Version } from '@meltemi/envoy-api/envoy/config/core/v3/proxy_protocol';
import { ProxyProtocolUpstreamTransportSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol';
import { UpstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { planTls, type TlsPlan } from '../tls/tls-plan.ts';

export type TransportPlan =
  | { readonly kind: 'raw' }
  /** `sni` is empty when none is configured. */
  | { readonly kind: 'tls'; readonly tls: TlsPlan; readonly sni: string }
  /** Begins with the address of the client, then goes on as `inner` says. */
  | { readonly kind: 'proxyProtocol'; readonly version: 1 | 2; readonly inner: TransportPlan };

export function planTransport(socket: TransportSocket | undefined, problems: string[]): TransportPlan {
  if (!socket) return raw;
  const any = socket.configType.case === 'typedConfig' ? socket.configType.value : undefined;
  switch (any?.typeUrl.slice(any.typeUrl.lastIndexOf('.') + 1)) {
    case 'RawBuffer':
      return raw;
    case 'UpstreamTlsContext':
      return planUpstreamTls(any?.value, problems);
    case 'ProxyProtocolUpstreamTransport':
      return planProxyProtocol(any?.value, problems);
    default:
      if (any || socket.name !== 'envoy.transport_sockets.raw_buffer')
        problems.push(`transport socket ${socket.name} is not supported`);
      return raw;
  }
}

const raw: TransportPlan = { kind: 'raw' };
const nothing = new Uint8Array();

/** Newer than the API that this is built with. */
const autoSanField = 7;

function planUpstreamTls(bytes: Uint8Array = nothing, problems: string[]): TransportPlan {
  const source = fromBinary(UpstreamTlsContextSchema, bytes);
  if (source.$unknown?.some((field) => field.no === autoSanField))
    problems.push('auto_sni_san_validation is not supported');
  return { kind: 'tls', tls: planTls(source.commonTlsContext, problems), sni: source.sni };
}

function planProxyProtocol(bytes: Uint8Array = nothing, problems: string[]): TransportPlan {
  const source = fromBinary(ProxyProtocolUpstreamTransportSchema, bytes);
  if (!source.transportSocket) problems.push('upstream_proxy_protocol without a transport_socket');
  return {
    kind: 'proxyProtocol',
    version: source.config?.version === Version.V2 ? 2 : 1,
    inner: planTransport(source.transportSocket, problems),
  };
}
