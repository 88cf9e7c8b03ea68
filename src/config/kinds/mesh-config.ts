// MeshConfig, the fields in use: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
import {
  anything,
  boolean,
  duration,
  durationOrZero,
  enumOf,
  field,
  type Infer,
  int32,
  list,
  mapOf,
  message,
  noEffect,
  string,
} from '../schema/index.ts';
import { TrafficPolicy } from './destination-rule/destination-rule.ts';
import { LocalityLoadBalancerSetting, ZoneAwareLoadBalancerSetting } from './destination-rule/load-balancer.ts';
import { TcpKeepalive } from './shared.ts';
import { HTTPRetry } from './virtual-service/http-actions.ts';

/** `defaultConfig`, and the value of the annotation `proxy.istio.io/config`. */
export const MeshProxyConfig = message(
  'MeshConfig.ProxyConfig',
  {
    concurrency: int32,
    proxyMetadata: mapOf(string),
    drainDuration: duration,
    parentShutdownDuration: duration,
    terminationDrainDuration: duration,
    discoveryAddress: string,
    statusPort: int32,
    proxyAdminPort: int32,
    holdApplicationUntilProxyStarts: boolean,
    interceptionMode: enumOf(['REDIRECT', 'TPROXY', 'NONE']),
    proxyBootstrapTemplatePath: string,
    tracing: anything,
    proxyStatsMatcher: anything,
    image: message('ProxyImage', { imageType: string }),
    gatewayTopology: message('Topology', {
      numTrustedProxies: int32,
      forwardClientCertDetails: enumOf(['UNDEFINED', 'SANITIZE', 'FORWARD_ONLY', 'APPEND_FORWARD', 'SANITIZE_SET', 'ALWAYS_FORWARD_ONLY']),
      proxyProtocol: anything,
    }),
    proxyHeaders: anything,
  },
  { open: true },
);
export type MeshProxyConfig = Infer<typeof MeshProxyConfig>;

export const MeshConfig = message('MeshConfig', {
  outboundTrafficPolicy: message('OutboundTrafficPolicy', { mode: enumOf(['REGISTRY_ONLY', 'ALLOW_ANY', 'ALLOW_ANY_DYNAMIC_DNS']) }),
  inboundTrafficPolicy: noEffect(
    message('InboundTrafficPolicy', { mode: enumOf(['PASSTHROUGH', 'LOCALHOST']) }),
    'undeclared inbound ports are always passed through',
  ),
  defaultServiceExportTo: list(string),
  defaultVirtualServiceExportTo: list(string),
  defaultDestinationRuleExportTo: list(string),
  enableAutoMtls: boolean,
  rootNamespace: string,
  trustDomain: string,
  trustDomainAliases: list(string),
  connectTimeout: duration,
  tcpKeepalive: TcpKeepalive,
  protocolDetectionTimeout: durationOrZero,
  proxyListenPort: noEffect(int32, 'the capture ports are fixed'),
  proxyInboundListenPort: noEffect(int32, 'the capture ports are fixed'),
  proxyHttpPort: int32,
  defaultHttpRetryPolicy: HTTPRetry,
  localityLbSetting: LocalityLoadBalancerSetting,
  zoneAwareLbSetting: noEffect(ZoneAwareLoadBalancerSetting, 'zone-aware balancing is not implemented yet'),
  defaultTrafficPolicy: TrafficPolicy,
  h2UpgradePolicy: enumOf(['DO_NOT_UPGRADE', 'UPGRADE']),
  accessLogFile: noEffect(string, 'access logs are not implemented yet'),
  accessLogFormat: noEffect(string, 'access logs are not implemented yet'),
  accessLogEncoding: noEffect(enumOf(['TEXT', 'JSON']), 'access logs are not implemented yet'),
  enableTracing: noEffect(boolean, 'tracing is not supported'),
  defaultConfig: MeshProxyConfig,
  ingressClass: string,
  ingressService: string,
  ingressSelector: string,
  ingressControllerMode: enumOf(['UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT']),
  pathNormalization: message('ProxyPathNormalization', {
    normalization: enumOf(['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']),
  }),
  meshMTLS: field(tlsConfig(), { aliases: ['mesh_mTLS', 'meshMtls'] }),
  tlsDefaults: noEffect(tlsConfig(), 'only the versions of meshMTLS are used'),
  dnsRefreshRate: duration,
  inboundClusterStatName: noEffect(string, 'statistics have the cluster name'),
  outboundClusterStatName: noEffect(string, 'statistics have the cluster name'),
  discoverySelectors: noEffect(
    list(
      message(
        'LabelSelector',
        {
          matchLabels: mapOf(string),
          matchExpressions: list(
            message('LabelSelectorRequirement', { key: string, operator: string, values: list(string) }, { open: true }),
          ),
        },
        { open: true },
      ),
    ),
    'everything in the sources is read',
  ),
  serviceSettings: noEffect(
    list(message('ServiceSettings', { settings: message('Settings', { clusterLocal: boolean }), hosts: list(string) })),
    'there is one cluster',
  ),
  verifyCertificateAtClient: noEffect(boolean, 'roots come with each DestinationRule'),
  enablePrometheusMerge: noEffect(boolean, 'applications are scraped on their own'),
  hboneIdleTimeout: noEffect(durationOrZero, 'there is no ambient mode'),
  defaultProviders: noEffect(anything, 'telemetry providers are not supported'),
  extensionProviders: noEffect(anything, 'telemetry and authorization providers are not supported'),
  configSources: noEffect(anything, 'sources are given on the command line'),
  caCertificates: noEffect(anything, 'extra roots are not read from MeshConfig'),
  ca: noEffect(anything, 'an external CA is given on the command line'),
  certificates: noEffect(anything, 'removed from Istio'),
});
export type MeshConfig = Infer<typeof MeshConfig>;

function tlsConfig() {
  return message('TLSConfig', {
    minProtocolVersion: enumOf(['TLS_AUTO', 'TLSV1_2', 'TLSV1_3']),
    ecdhCurves: list(string),
    cipherSuites: list(string),
  });
}
