// PeerAuthentication: https://istio.io/latest/docs/reference/config/security/peer_authentication/
import { enumOf, field, type Infer, mapOf, message } from '../schema/index.ts';
import { LabelSelector } from './shared.ts';

export const MutualTLS = message('MutualTLS', {
  mode: field(
    enumOf(['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT']),
    'FilterChainMatch.transport_protocol and FilterChain.transport_socket of virtualInbound; Cluster.transport_socket_matches of clients',
  ),
});
export type MutualTLS = Infer<typeof MutualTLS>;

export const PeerAuthentication = message(
  'PeerAuthentication',
  {
    selector: LabelSelector,
    mtls: MutualTLS,
    portLevelMtls: field(mapOf(MutualTLS), 'FilterChainMatch.destination_port'),
  },
  {
    rules: [
      ({ selector, portLevelMtls }, context) => {
        if (!portLevelMtls) return;
        const ports = Object.keys(portLevelMtls);
        if (ports.length === 0) context.report('MT0121', ['portLevelMtls'], '{} has nothing in it');
        if (Object.keys(selector?.matchLabels ?? {}).length === 0)
          context.report('MT0108', ['portLevelMtls'], '{} needs a selector with labels');
        for (const port of ports) {
          if (!/^\d+$/.test(port) || Number(port) < 1 || Number(port) > 65535)
            context.report('MT0105', ['portLevelMtls', port], `"${port}" is not a port from 1 to 65535`);
        }
      },
    ],
  },
);
export type PeerAuthentication = Infer<typeof PeerAuthentication>;
