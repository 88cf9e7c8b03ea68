// A cluster's transport socket, compiled. One that is not understood is a problem: its bytes must not go out
// in another way.
import { fromBinary } from '@bufbuild/protobuf';
import type { TransportSocket } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { ProxyProtocolUpstreamTransportSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol';
import { UpstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { TlsPlan } from '../../plan/tls/tls-plan.ts';
import type { HandshakeReport } from '../../tls/handshake-report.ts';
import type { SecretStore } from '../../tls/secret-store.ts';
import { rawTransport } from './dial.ts';
import { ProxyProtocolTransport } from './proxy-protocol-transport.ts';
import { TlsTransport } from './tls-transport.ts';
import type { Transport } from './transport.ts';

export interface TransportContext {
  readonly secrets: SecretStore;
  readonly report: HandshakeReport;
}

export function compileTransport(
  socket: TransportSocket | undefined,
  context: TransportContext,
  problems: string[],
): Transport {
  if (!socket) return rawTransport;
  const any = socket.configType.case === 'typedConfig' ? socket.configType.value : undefined;
  switch (any?.typeUrl.slice(any.typeUrl.lastIndexOf('.') + 1)) {
    case 'RawBuffer':
      return rawTransport;
    case 'UpstreamTlsContext': {
      const source = fromBinary(UpstreamTlsContextSchema, any?.value ?? nothing);
      if (source.$unknown?.some((field) => field.no === autoSanField))
        problems.push('auto_sni_san_validation is not supported');
      return new TlsTransport(
        new TlsPlan(source.commonTlsContext, context.secrets, problems),
        source.sni,
        context.report,
      );
    }
    case 'ProxyProtocolUpstreamTransport': {
      const source = fromBinary(ProxyProtocolUpstreamTransportSchema, any?.value ?? nothing);
      if (!source.transportSocket) problems.push('upstream_proxy_protocol without a transport_socket');
      return new ProxyProtocolTransport(
        compileTransport(source.transportSocket, context, problems),
        source.config,
      );
    }
    default:
      if (!any && socket.name === 'envoy.transport_sockets.raw_buffer') return rawTransport;
      problems.push(`transport socket ${socket.name} is not supported`);
      return rawTransport;
  }
}

/** Newer than the API that this is built with. */
const autoSanField = 7;
const nothing = new Uint8Array();
