// Clusters towards services: one a port, and one a port and subset.
import { create } from '@bufbuild/protobuf';
import {
  type Cluster,
  Cluster_DiscoveryType,
  Cluster_DnsLookupFamily,
  Cluster_LbPolicy,
  ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { ClusterLoadAssignment } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import type { Audience, Mesh } from '../../mesh/index.ts';
import { isHttp2 } from '../../registry/index.ts';
import { clusterLoadAssignment } from '../endpoints/load-assignment.ts';
import { connectionPool, httpProtocolOptions, upgradesToHttp2 } from '../features/connection-pool.ts';
import { defaultDnsRefreshMs, dynamicDnsCluster } from '../features/dynamic-dns.ts';
import { loadBalancer } from '../features/load-balancer.ts';
import { errorMatcher, outlierDetection } from '../features/outlier-detection.ts';
import { type ClusterSockets, withProxyProtocol } from '../features/proxy-protocol.ts';
import { clusterStatName } from '../features/stat-name.ts';
import { automaticMeshTls, automaticNames, meshTls, type UpstreamTlsOptions, upstreamTls } from '../features/upstream-tls.ts';
import { zoneAware, zoneAwareSetting } from '../features/zone-aware.ts';
import { clusterSni, configPath } from '../names.ts';
import { addErrorMatcher } from '../newer-fields.ts';
import { duration, fromAds, type Init, istioMetadata, packed } from '../wire.ts';
import { identitiesOf } from './identities.ts';
import { type OutboundTarget, targetName } from './target.ts';

type ClusterInit = Init<typeof ClusterSchema>;

/** Undefined when the cluster could reach nothing ever: DNS resolution without a name to resolve. */
export function outboundClusterOf(mesh: Mesh, audience: Audience, target: OutboundTarget): Cluster | undefined {
  const name = targetName(target);
  const { policy } = target;
  const type = discoveryType(target);
  const settings = mesh.settings.config;
  const discovery = discoveryOf(mesh, audience, target, type);
  if (!discovery) return undefined;
  const cluster = create(ClusterSchema, {
    name,
    altStatName: statName(mesh, target, name),
    clusterDiscoveryType: { case: 'type', value: type },
    connectTimeout: duration(mesh.settings.connectTimeoutMs),
    metadata: istioMetadata(ruleOf(target), target.subset ? { subset: target.subset.name } : {}),
    ...(type === Cluster_DiscoveryType.ORIGINAL_DST ? { lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED } : loadBalancer(policy.loadBalancer)),
    ...connectionPool(policy.connectionPool, settings, policy.retryBudget),
    outlierDetection: policy.outlierDetection && outlierDetection(policy.outlierDetection),
    commonLbConfig: commonLb(mesh, target),
    ...discovery,
    ...(target.passesTls ? {} : withProxyProtocol(tlsOf(mesh, target, type), policy.proxyProtocol)),
  });
  if (!target.passesTls) addProtocolOptions(cluster, target, mesh, audience.type);
  return cluster;
}

function statName(mesh: Mesh, { service, port, subset }: OutboundTarget, name: string): string {
  const subject = { hostname: service.hostname, port: port.number, portName: port.name, subset: subset?.name };
  return clusterStatName(mesh.settings.config.outboundClusterStatName, name, subject, mesh.settings.domain);
}

function ruleOf({ rule, subset }: OutboundTarget): string | undefined {
  return rule && configPath('destination-rule', subset?.ruleNamespace ?? rule.namespace, subset?.ruleName ?? rule.name);
}

function discoveryType({ service, policy }: OutboundTarget): Cluster_DiscoveryType {
  // Where the client dials decides, whatever else is known of the service.
  if (policy.loadBalancer?.simple === 'PASSTHROUGH' && service.resolution !== 'dynamic-dns') return Cluster_DiscoveryType.ORIGINAL_DST;
  switch (service.resolution) {
    case 'dns':
    case 'dynamic-dns':
      return Cluster_DiscoveryType.STRICT_DNS;
    case 'dns-round-robin':
      return Cluster_DiscoveryType.LOGICAL_DNS;
    case 'original-destination':
      return Cluster_DiscoveryType.ORIGINAL_DST;
    default:
      return Cluster_DiscoveryType.EDS;
  }
}

function discoveryOf(mesh: Mesh, audience: Audience, target: OutboundTarget, type: Cluster_DiscoveryType): ClusterInit | undefined {
  const name = targetName(target);
  if (type === Cluster_DiscoveryType.EDS) return { edsClusterConfig: { edsConfig: fromAds, serviceName: name } };
  if (type === Cluster_DiscoveryType.ORIGINAL_DST) return originalDestination(target);
  if (target.service.resolution === 'dynamic-dns') return dynamicDnsCluster(mesh.settings.config, target.policy.tls);
  const assignment = clusterLoadAssignment(mesh, audience, target);
  if (assignment.endpoints.length === 0) return undefined;
  if (type === Cluster_DiscoveryType.LOGICAL_DNS) keepFirst(assignment);
  const refresh = mesh.settings.config.dnsRefreshRate ?? defaultDnsRefreshMs;
  return {
    loadAssignment: assignment,
    dnsLookupFamily: Cluster_DnsLookupFamily.V4_ONLY,
    dnsRefreshRate: duration(refresh),
    respectDnsTtl: true,
  };
}

/** A logical cluster has one name to look up; entries that share a host may give more. */
function keepFirst(assignment: ClusterLoadAssignment): void {
  const [first] = assignment.endpoints;
  if (!first) return;
  assignment.endpoints = [first];
  first.lbEndpoints = first.lbEndpoints.slice(0, 1);
  first.priority = 0;
}

// A service entry that connects where the client dialled may still name another port to dial.
function originalDestination({ service, port }: OutboundTarget): ClusterInit {
  const target = typeof port.targetPort === 'number' ? port.targetPort : 0;
  return service.source === 'service-entry' && target > 0 && target !== port.number
    ? { lbConfig: { case: 'originalDstLbConfig', value: { upstreamPortOverride: target } } }
    : {};
}

function commonLb(mesh: Mesh, { policy, service }: OutboundTarget): ClusterInit['commonLbConfig'] {
  const distribute = policy.loadBalancer?.localityLbSetting?.distribute ?? mesh.settings.config.localityLbSetting?.distribute;
  const zones = zoneAwareSetting(policy.loadBalancer, service, mesh.settings.config);
  return {
    healthyPanicThreshold: { value: policy.outlierDetection?.minHealthPercent ?? 0 },
    ...(zones
      ? zoneAware(zones)
      : distribute?.length || policy.loadBalancer?.localityLbSetting || service.trafficDistribution
        ? { localityConfigSpecifier: { case: 'localityWeightedLbConfig', value: {} } as const }
        : {}),
  };
}

function tlsOf(mesh: Mesh, target: OutboundTarget, type: Cluster_DiscoveryType): ClusterSockets {
  const { service, port, policy } = target;
  const options: UpstreamTlsOptions = {
    http2: isHttp2(port.protocol) || upgradesToHttp2(port.protocol, policy.connectionPool, mesh.settings.config),
    sni: clusterSni({ direction: 'outbound', port: port.number, subset: target.subset?.name ?? '', host: service.hostname }),
    subjectAltNames: identitiesOf(mesh, service),
    defaults: mesh.settings.config.tlsDefaults,
  };
  if (policy.tls) {
    const own = policy.tls.mode === 'ISTIO_MUTUAL' ? options : { ...options, subjectAltNames: service.subjectAltNames };
    return { transportSocket: upstreamTls(policy.tls, own) };
  }
  if (
    service.resolution === 'dynamic-dns' ||
    !mesh.settings.autoMutualTls ||
    service.meshExternal ||
    mesh.namespaceMutualTls(service.namespace) === 'DISABLE'
  )
    return {};
  if (type !== Cluster_DiscoveryType.ORIGINAL_DST) return { transportSocketMatches: automaticMeshTls(options) };
  // No metadata says who is dialled: mutual TLS only when every known endpoint can do it.
  const endpoints = mesh.endpoints(service);
  const all = service.headless && endpoints.length > 0 && endpoints.every((endpoint) => endpoint.tlsMode === 'istio');
  return all ? { transportSocket: meshTls(options) } : {};
}

function addProtocolOptions(cluster: Cluster, { port, policy }: OutboundTarget, mesh: Mesh, type: Audience['type']): void {
  // A gateway's clients speak the protocol of the gateway's port, which says nothing of the service.
  const protocol = type === 'router' && port.protocol === 'auto' ? 'http' : port.protocol;
  const upgrade = upgradesToHttp2(port.protocol, policy.connectionPool, mesh.settings.config);
  const matcher = errorMatcher(policy.outlierDetection);
  const names = automaticNames(policy.tls);
  let options = httpProtocolOptions(protocol, policy.connectionPool, upgrade);
  if (matcher || names) {
    options ??= create(HttpProtocolOptionsSchema, {
      upstreamProtocolOptions: { case: 'explicitHttpConfig', value: { protocolConfig: { case: 'httpProtocolOptions', value: {} } } },
    });
    if (matcher) addErrorMatcher(options, matcher);
    options.upstreamHttpProtocolOptions = names;
  }
  if (options)
    cluster.typedExtensionProtocolOptions['envoy.extensions.upstreams.http.v3.HttpProtocolOptions'] = packed(
      HttpProtocolOptionsSchema,
      options,
    );
}
