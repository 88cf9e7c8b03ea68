// Sidecar: https://istio.io/latest/docs/reference/config/networking/sidecar/
import {
  checkEgress,
  checkEgressList,
  checkEgressProxy,
  checkIngress,
  checkIngressPorts,
  warnEgressHosts,
} from '../rules/sidecar.ts';
import {
  enumOf,
  field,
  type Infer,
  ignored,
  list,
  message,
  noEffect,
  type RuleContext,
  string,
  uint32,
} from '../schema/index.ts';
import { ConnectionPoolSettings } from './destination-rule/connection-pool.ts';
import { ServerTLSSettings } from './server-tls.ts';
import { Destination, WorkloadSelector } from './shared.ts';

const CaptureMode = enumOf(['DEFAULT', 'IPTABLES', 'NONE']);

export const SidecarPort = message('SidecarPort', {
  number: field(uint32, 'Listener.address; Cluster.name'),
  protocol: field(string, 'Listener.filter_chains'),
  name: ignored(string, 'a name for people'),
  targetPort: ignored(uint32, 'refused with a finding, as by Istio'),
});
export type SidecarPort = Infer<typeof SidecarPort>;

export const IstioIngressListener = message(
  'IstioIngressListener',
  {
    port: SidecarPort,
    bind: field(string, 'Listener.address; FilterChain.name'),
    captureMode: field(CaptureMode, 'NONE: a Listener of its own'),
    defaultEndpoint: field(string, 'Cluster.load_assignment of the inbound cluster'),
    tls: noEffect(ServerTLSSettings, 'as in Istio, unless ENABLE_TLS_ON_SIDECAR_INGRESS is set'),
    connectionPool: ConnectionPoolSettings,
  },
  { rules: [checkIngress] },
);
export type IstioIngressListener = Infer<typeof IstioIngressListener>;

export const IstioEgressListener = message(
  'IstioEgressListener',
  {
    port: SidecarPort,
    bind: field(string, 'Listener.address'),
    captureMode: field(CaptureMode, 'Listener.bind_to_port'),
    hosts: field(list(string), 'which clusters, listeners and routes the proxies get'),
  },
  { rules: [checkEgress] },
);
export type IstioEgressListener = Infer<typeof IstioEgressListener>;

export const SidecarOutboundTrafficPolicy = message(
  'OutboundTrafficPolicy',
  {
    mode: field(
      enumOf(['REGISTRY_ONLY', 'ALLOW_ANY'], { ALLOW_ANY_DYNAMIC_DNS: 'it belongs in MeshConfig' }),
      'PassthroughCluster or BlackHoleCluster; VirtualHost allow_any or block_all',
    ),
    egressProxy: Destination,
  },
  { rules: [checkEgressProxy] },
);
export type SidecarOutboundTrafficPolicy = Infer<typeof SidecarOutboundTrafficPolicy>;

export const Sidecar = message(
  'Sidecar',
  {
    workloadSelector: WorkloadSelector,
    ingress: list(IstioIngressListener),
    egress: list(IstioEgressListener),
    inboundConnectionPool: ConnectionPoolSettings,
    outboundTrafficPolicy: SidecarOutboundTrafficPolicy,
  },
  {
    rules: [
      ({ ingress = [], inboundConnectionPool }, context) => {
        noteUpgrade(inboundConnectionPool, context.at(['inboundConnectionPool']));
        ingress.forEach(({ connectionPool }, i) => {
          noteUpgrade(connectionPool, context.at(['ingress', i, 'connectionPool']));
        });
      },
      ({ ingress = [], egress = [], inboundConnectionPool, outboundTrafficPolicy }, context) => {
        if (ingress.length + egress.length === 0 && !inboundConnectionPool && !outboundTrafficPolicy) {
          context.report(
            'MT0121',
            [],
            'a Sidecar needs ingress, egress, outboundTrafficPolicy or inboundConnectionPool',
          );
        }
        checkIngressPorts(ingress, context);
        checkEgressList(egress, context);
        egress.forEach(({ hosts }, i) => {
          warnEgressHosts(hosts ?? [], context.at(['egress', i]));
        });
      },
    ],
  },
);
export type Sidecar = Infer<typeof Sidecar>;

/** The message is the one of DestinationRule, where a client decides to upgrade. */
function noteUpgrade(pool: ConnectionPoolSettings | undefined, context: RuleContext): void {
  if (pool?.http?.h2UpgradePolicy)
    context.report(
      'MT0401',
      ['http', 'h2UpgradePolicy'],
      '{} has no effect: inbound requests keep the protocol of the port; name it http2 or grpc',
    );
}
