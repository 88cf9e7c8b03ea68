// DestinationRule `tunnel`: TCP inside an HTTP CONNECT or POST request to the endpoint.
// https://istio.io/latest/docs/reference/config/networking/destination-rule/#TrafficPolicy-TunnelSettings
import type { TcpProxy_TunnelingConfigSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import type { TunnelSettings } from '../../config/index.ts';
import type { Init } from '../wire.ts';

export function tunnelingConfig(
  tunnel: TunnelSettings | undefined,
): Init<typeof TcpProxy_TunnelingConfigSchema> | undefined {
  if (!tunnel) return undefined;
  const host = tunnel.targetHost.includes(':') ? `[${tunnel.targetHost}]` : tunnel.targetHost;
  return { hostname: `${host}:${tunnel.targetPort}`, usePost: tunnel.protocol === 'POST' };
}
