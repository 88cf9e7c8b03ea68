// MeshConfig, the fields in use: https://istio.io/latest/docs/reference/config/istio.mesh.v1alpha1/
import { checkMeshConfig } from '../rules/mesh-config.ts';
import {
  anything,
  boolean,
  duration,
  durationOrZero,
  enumOf,
  type Field,
  field,
  type Infer,
  ignored,
  int32,
  integerIn,
  list,
  mapOf,
  message,
  noEffect,
  type RuleContext,
  string,
  text,
} from '../schema/index.ts';
import { ClientTLSSettings } from './destination-rule/client-tls.ts';
import { ConnectionPoolSettings, OutlierDetection } from './destination-rule/connection-pool.ts';
import {
  LocalityLoadBalancerSetting,
  ZoneAwareLoadBalancerSetting,
} from './destination-rule/load-balancer.ts';
import { TcpKeepalive } from './shared.ts';
import { HTTPRetry } from './virtual-service/http-actions.ts';

/** Why most of ProxyConfig does nothing here. */
const ofBootstrap = 'part of how the proxy is started, not of what it is told';

/** `defaultConfig`, and the value of the annotation `proxy.istio.io/config`. */
export const MeshProxyConfig = message('MeshConfig.ProxyConfig', {
  concurrency: noEffect(int32, ofBootstrap),
  proxyMetadata: noEffect(mapOf(text), ofBootstrap),
  drainDuration: noEffect(duration, ofBootstrap),
  parentShutdownDuration: noEffect(duration, ofBootstrap),
  terminationDrainDuration: noEffect(duration, ofBootstrap),
  discoveryAddress: noEffect(string, ofBootstrap),
  statusPort: noEffect(int32, ofBootstrap),
  proxyAdminPort: noEffect(int32, ofBootstrap),
  holdApplicationUntilProxyStarts: noEffect(boolean, 'the proxy is not injected into pods'),
  interceptionMode: noEffect(
    enumOf(['REDIRECT', 'TPROXY', 'NONE']),
    'the proxy says how it captures, in INTERCEPTION_MODE of its node metadata',
  ),
  proxyBootstrapTemplatePath: noEffect(string, ofBootstrap),
  tracing: noEffect(anything, 'tracing is not supported'),
  proxyStatsMatcher: noEffect(anything, ofBootstrap),
  configPath: noEffect(anything, ofBootstrap),
  binaryPath: noEffect(anything, ofBootstrap),
  serviceCluster: noEffect(anything, ofBootstrap),
  customConfigFile: noEffect(anything, ofBootstrap),
  statsdUdpAddress: noEffect(anything, ofBootstrap),
  statNameLength: noEffect(anything, ofBootstrap),
  controlPlaneAuthPolicy: noEffect(anything, ofBootstrap),
  envoyAccessLogService: noEffect(anything, ofBootstrap),
  envoyMetricsService: noEffect(anything, ofBootstrap),
  sds: noEffect(anything, ofBootstrap),
  readinessProbe: noEffect(anything, ofBootstrap),
  caCertificatesPem: noEffect(anything, ofBootstrap),
  privateKeyProvider: noEffect(anything, ofBootstrap),
  zipkinAddress: noEffect(anything, ofBootstrap),
  extraStatTags: noEffect(anything, ofBootstrap),
  runtimeValues: noEffect(anything, ofBootstrap),
  meshId: noEffect(anything, ofBootstrap),
  tracingServiceName: noEffect(anything, ofBootstrap),
  availabilityZone: noEffect(anything, ofBootstrap),
  statsCompression: noEffect(anything, ofBootstrap),
  connectionSettings: noEffect(anything, ofBootstrap),
  fileFlushInterval: noEffect(anything, ofBootstrap),
  fileFlushMinSizeKb: noEffect(anything, ofBootstrap),
  image: message('ProxyImage', { imageType: ignored(string, 'no image is chosen here') }),
  gatewayTopology: message('Topology', {
    numTrustedProxies: field(
      integerIn(0, 4_294_967_295),
      'HttpConnectionManager.xff_num_trusted_hops of gateways',
    ),
    forwardClientCertDetails: field(
      enumOf([
        'UNDEFINED',
        'SANITIZE',
        'FORWARD_ONLY',
        'APPEND_FORWARD',
        'SANITIZE_SET',
        'ALWAYS_FORWARD_ONLY',
      ]),
      'HttpConnectionManager.forward_client_cert_details of gateways',
    ),
    proxyProtocol: field(
      anything,
      'Listener.listener_filters of gateways: envoy.filters.listener.proxy_protocol',
    ),
  }),
  proxyHeaders: field(
    anything,
    'HttpConnectionManager.server_name, HttpConnectionManager.server_header_transformation, HttpConnectionManager.generate_request_id; VirtualHost.include_request_attempt_count; Router.suppress_envoy_headers; RouteAction.append_x_forwarded_host',
  ),
});
export type MeshProxyConfig = Infer<typeof MeshProxyConfig>;

export const MeshConfig = message(
  'MeshConfig',
  {
    outboundTrafficPolicy: message('OutboundTrafficPolicy', {
      mode: field(
        enumOf(['REGISTRY_ONLY', 'ALLOW_ANY', 'ALLOW_ANY_DYNAMIC_DNS']),
        'PassthroughCluster, BlackHoleCluster or AllowAnyDynamicDNSCluster; VirtualHost allow_any, block_all or allow_any_dynamic_dns',
      ),
      tls: ClientTLSSettings,
    }),
    inboundTrafficPolicy: message('InboundTrafficPolicy', {
      mode: field(enumOf(['PASSTHROUGH', 'LOCALHOST']), 'Cluster.load_assignment of inbound clusters'),
    }),
    defaultServiceExportTo: field(list(string), 'which proxies get services that do not say exportTo'),
    defaultVirtualServiceExportTo: field(
      list(string),
      'which proxies get VirtualServices that do not say exportTo',
    ),
    defaultDestinationRuleExportTo: field(
      list(string),
      'which proxies get DestinationRules that do not say exportTo',
    ),
    enableAutoMtls: field(boolean, 'Cluster.transport_socket_matches'),
    rootNamespace: field(string, 'where the defaults of the mesh are looked for'),
    trustDomain: field(string, 'CertificateValidationContext.match_subject_alt_names'),
    trustDomainAliases: field(list(string), 'CertificateValidationContext.match_subject_alt_names'),
    connectTimeout: field(duration, 'Cluster.connect_timeout'),
    tcpKeepalive: TcpKeepalive,
    protocolDetectionTimeout: field(durationOrZero, 'Listener.listener_filters_timeout'),
    proxyListenPort: field(
      integerIn(1, 65_535),
      'Listener.address of virtualOutbound; capture has to lead there',
    ),
    proxyInboundListenPort: field(
      integerIn(0, 65_535),
      'Listener.address of virtualInbound; capture has to lead there',
    ),
    proxyHttpPort: field(integerIn(0, 65_535), 'Listener.address of the explicit HTTP proxy'),
    defaultHttpRetryPolicy: HTTPRetry,
    localityLbSetting: LocalityLoadBalancerSetting,
    zoneAwareLbSetting: ZoneAwareLoadBalancerSetting,
    defaultTrafficPolicy: message('DefaultTrafficPolicy', {
      connectionPool: ConnectionPoolSettings,
      outlierDetection: OutlierDetection,
    }),
    h2UpgradePolicy: field(enumOf(['DO_NOT_UPGRADE', 'UPGRADE']), 'HttpProtocolOptions.explicit_http_config'),
    accessLogFile: field(
      string,
      'FileAccessLog.path of HttpConnectionManager.access_log, TcpProxy.access_log and Listener.access_log',
    ),
    accessLogFormat: field(text, 'FileAccessLog.log_format'),
    accessLogEncoding: field(enumOf(['TEXT', 'JSON']), 'FileAccessLog.log_format'),
    disableEnvoyListenerLog: field(boolean, 'Listener.access_log'),
    enableEnvoyAccessLogService: noEffect(boolean, 'there is no access log service; use accessLogFile'),
    serviceEntryVisibility: noEffect(
      anything,
      'say exportTo in each ServiceEntry, or defaultServiceExportTo',
    ),
    enableTracing: noEffect(boolean, 'tracing is not supported'),
    defaultConfig: MeshProxyConfig,
    ingressClass: field(string, 'which Ingresses are served'),
    ingressService: noEffect(string, 'no status is written to Ingresses'),
    ingressSelector: field(string, 'which gateway serves Ingresses'),
    ingressControllerMode: field(
      enumOf(['UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT']),
      'which Ingresses are served',
    ),
    pathNormalization: message('ProxyPathNormalization', {
      normalization: field(
        enumOf(['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']),
        'HttpConnectionManager.normalize_path, merge_slashes, path_with_escaped_slashes_action',
      ),
    }),
    meshMTLS: field(
      tlsConfig(ignored(list(string), 'refused with a finding, as by Istio')),
      'TLS that proxies of the mesh speak to each other',
      { aliases: ['mesh_mTLS', 'meshMtls'] },
    ),
    tlsDefaults: field(
      tlsConfig(field(list(string), 'TlsParameters.ecdh_curves')),
      'TLS of gateways, and TLS that a DestinationRule asks for',
    ),
    dnsRefreshRate: field(duration, 'Cluster.dns_refresh_rate'),
    inboundClusterStatName: field(string, 'Cluster.alt_stat_name'),
    outboundClusterStatName: field(string, 'Cluster.alt_stat_name'),
    discoverySelectors: noEffect(
      list(
        message(
          'LabelSelector',
          {
            matchLabels: ignored(mapOf(string), 'see discoverySelectors'),
            matchExpressions: list(
              message(
                'LabelSelectorRequirement',
                {
                  key: ignored(string, 'see discoverySelectors'),
                  operator: ignored(string, 'see discoverySelectors'),
                  values: ignored(list(string), 'see discoverySelectors'),
                },
                { open: true },
              ),
            ),
          },
          { open: true },
        ),
      ),
      'the resources of all namespaces in the sources are read; leave out files to leave out namespaces',
    ),
    serviceSettings: noEffect(
      list(
        message('ServiceSettings', {
          settings: message('Settings', { clusterLocal: ignored(boolean, 'see serviceSettings') }),
          hosts: ignored(list(string), 'see serviceSettings'),
        }),
      ),
      'there is one cluster, so every service is local to it',
    ),
    verifyCertificateAtClient: noEffect(
      boolean,
      'Istio does not read it either; name caCertificates in the DestinationRule',
    ),
    enablePrometheusMerge: noEffect(boolean, 'applications are scraped on their own'),
    hboneIdleTimeout: noEffect(durationOrZero, 'there is no ambient mode'),
    defaultProviders: noEffect(anything, 'telemetry providers are not supported'),
    extensionProviders: noEffect(anything, 'telemetry and authorization providers are not supported'),
    configSources: noEffect(anything, 'sources are given on the command line'),
    caCertificates: noEffect(anything, 'extra roots are not read from MeshConfig'),
    ca: noEffect(anything, 'an external CA is given on the command line'),
    certificates: noEffect(anything, 'removed from Istio'),
  },
  { rules: [checkRefresh, checkCapturePorts, checkMeshConfig] },
);
export type MeshConfig = Infer<typeof MeshConfig>;

function tlsConfig(ecdhCurves: Field<readonly string[], false>) {
  return message('TLSConfig', {
    minProtocolVersion: field(
      enumOf(['TLS_AUTO', 'TLSV1_2', 'TLSV1_3']),
      'TlsParameters.tls_minimum_protocol_version',
    ),
    ecdhCurves,
    cipherSuites: field(list(string), 'TlsParameters.cipher_suites'),
  });
}

/**
 * https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/cluster/v3/cluster.proto#envoy-v3-api-field-config-cluster-v3-cluster-dns-refresh-rate
 */
function checkRefresh(
  { dnsRefreshRate = 60_000 }: { readonly dnsRefreshRate?: number },
  context: RuleContext,
): void {
  if (dnsRefreshRate <= 1) context.report('MT0106', ['dnsRefreshRate'], '{} must be more than 1ms');
}

/** Both listen on every address. */
function checkCapturePorts(
  {
    proxyListenPort,
    proxyInboundListenPort,
  }: { readonly proxyListenPort?: number; readonly proxyInboundListenPort?: number },
  context: RuleContext,
): void {
  const [outbound, inbound] = [proxyListenPort || 15_001, proxyInboundListenPort || 15_006];
  if (outbound === inbound)
    context.report('MT0131', ['proxyInboundListenPort'], `{} and proxyListenPort are both ${outbound}`);
}
