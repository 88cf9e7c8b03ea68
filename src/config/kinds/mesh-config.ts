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
  inboundTrafficPolicy: message('InboundTrafficPolicy', { mode: enumOf(['PASSTHROUGH', 'LOCALHOST']) }),
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
  proxyListenPort: int32,
  proxyInboundListenPort: int32,
  proxyHttpPort: int32,
  defaultHttpRetryPolicy: HTTPRetry,
  localityLbSetting: LocalityLoadBalancerSetting,
  zoneAwareLbSetting: ZoneAwareLoadBalancerSetting,
  defaultTrafficPolicy: TrafficPolicy,
  h2UpgradePolicy: enumOf(['DO_NOT_UPGRADE', 'UPGRADE']),
  accessLogFile: string,
  accessLogFormat: string,
  accessLogEncoding: enumOf(['TEXT', 'JSON']),
  enableTracing: boolean,
  defaultConfig: MeshProxyConfig,
  ingressClass: string,
  ingressService: string,
  ingressSelector: string,
  ingressControllerMode: enumOf(['UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT']),
  pathNormalization: message('ProxyPathNormalization', {
    normalization: enumOf(['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']),
  }),
  meshMTLS: field(tlsConfig(), { aliases: ['mesh_mTLS', 'meshMtls'] }),
  tlsDefaults: tlsConfig(),
  dnsRefreshRate: duration,
  inboundClusterStatName: string,
  outboundClusterStatName: string,
  discoverySelectors: list(
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
  serviceSettings: list(message('ServiceSettings', { settings: message('Settings', { clusterLocal: boolean }), hosts: list(string) })),
  verifyCertificateAtClient: boolean,
  enablePrometheusMerge: boolean,
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
