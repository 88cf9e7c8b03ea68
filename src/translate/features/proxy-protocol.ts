// DestinationRule `proxyProtocol`: the address of the client, told to the endpoint before anything else.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-ProxyProtocol
import { create } from '@bufbuild/protobuf';
import type { Cluster_TransportSocketMatch } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { type TransportSocket, TransportSocketSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { ProxyProtocolConfig_Version } from '@meltemi/envoy-api/envoy/config/core/v3/proxy_protocol';
import { ProxyProtocolUpstreamTransportSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol';
import type { TrafficPolicy } from '../../config/index.ts';
import { any } from '../wire.ts';
import { plainText } from './upstream-tls.ts';

type ProxyProtocol = NonNullable<TrafficPolicy['proxyProtocol']>;

export interface ClusterSockets {
  readonly transportSocket?: TransportSocket;
  readonly transportSocketMatches?: Cluster_TransportSocketMatch[];
}

/** The header goes in front of whatever else is spoken. */
export function withProxyProtocol(
  sockets: ClusterSockets,
  protocol: ProxyProtocol | undefined,
): ClusterSockets {
  if (!protocol) return sockets;
  const { transportSocketMatches: matches, transportSocket = plainText } = sockets;
  if (!matches) return { transportSocket: wrapped(transportSocket, protocol) };
  return {
    transportSocketMatches: matches.map((match) => ({
      ...match,
      transportSocket: wrapped(match.transportSocket ?? plainText, protocol),
    })),
  };
}

function wrapped(transportSocket: TransportSocket, { version }: ProxyProtocol): TransportSocket {
  const config = any(ProxyProtocolUpstreamTransportSchema, {
    config: { version: version === 'V2' ? ProxyProtocolConfig_Version.V2 : ProxyProtocolConfig_Version.V1 },
    transportSocket,
  });
  return create(TransportSocketSchema, {
    name: 'envoy.transport_sockets.upstream_proxy_protocol',
    configType: { case: 'typedConfig', value: config },
  });
}
