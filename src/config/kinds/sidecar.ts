// Sidecar: https://istio.io/latest/docs/reference/config/networking/sidecar/
import { checkEgress, checkEgressList, checkEgressProxy, checkIngress, checkIngressPorts, warnEgressHosts } from '../rules/sidecar.ts';
import { enumOf, type Infer, list, message, noEffect, string, uint32 } from '../schema/index.ts';
import { ConnectionPoolSettings } from './destination-rule/connection-pool.ts';
import { ServerTLSSettings } from './server-tls.ts';
import { Destination, WorkloadSelector } from './shared.ts';

const CaptureMode = enumOf(['DEFAULT', 'IPTABLES', 'NONE']);

export const SidecarPort = message('SidecarPort', { number: uint32, protocol: string, name: string, targetPort: uint32 });
export type SidecarPort = Infer<typeof SidecarPort>;

export const IstioIngressListener = message(
  'IstioIngressListener',
  {
    port: SidecarPort,
    bind: noEffect(string, 'inbound connections are captured or bound on the workload address'),
    captureMode: noEffect(CaptureMode, 'inbound capture is decided for the whole workload'),
    defaultEndpoint: string,
    tls: noEffect(ServerTLSSettings, 'Istio ignores it too unless ENABLE_TLS_ON_SIDECAR_INGRESS is set'),
    connectionPool: ConnectionPoolSettings,
  },
  { rules: [checkIngress] },
);
export type IstioIngressListener = Infer<typeof IstioIngressListener>;

export const IstioEgressListener = message(
  'IstioEgressListener',
  { port: SidecarPort, bind: string, captureMode: CaptureMode, hosts: list(string) },
  { rules: [checkEgress] },
);
export type IstioEgressListener = Infer<typeof IstioEgressListener>;

export const SidecarOutboundTrafficPolicy = message(
  'OutboundTrafficPolicy',
  {
    mode: enumOf(['REGISTRY_ONLY', 'ALLOW_ANY'], { ALLOW_ANY_DYNAMIC_DNS: 'it belongs in MeshConfig' }),
    egressProxy: noEffect(Destination, 'an egress proxy for undeclared hosts is not implemented yet'),
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
      ({ ingress = [], egress = [], inboundConnectionPool, outboundTrafficPolicy }, context) => {
        if (ingress.length + egress.length === 0 && !inboundConnectionPool && !outboundTrafficPolicy) {
          context.report('MT0121', [], 'a Sidecar needs ingress, egress, outboundTrafficPolicy or inboundConnectionPool');
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
