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
import { type Origin, within } from '../../base/index.ts';
import type { LoadBalancerSettings } from '../../config/index.ts';
import { type Audience, configMapScheme, effectivePolicy, type Mesh } from '../../mesh/index.ts';
import { isHttp2 } from '../../registry/index.ts';
import { clusterLoadAssignment, mayPanic } from '../endpoints/load-assignment.ts';
import { connectionPool, httpProtocolOptions, upgradesToHttp2 } from '../features/connection-pool.ts';
import { defaultDnsRefreshMs, dynamicDnsCluster } from '../features/dynamic-dns.ts';
import { loadBalancer } from '../features/load-balancer.ts';
import { weighsLocalities } from '../features/locality.ts';
import { errorMatcher, outlierDetection } from '../features/outlier-detection.ts';
import { type ClusterSockets, withProxyProtocol } from '../features/proxy-protocol.ts';
import { clusterStatName } from '../features/stat-name.ts';
import {
  automaticMeshTls,
  automaticNames,
  meshTls,
  type UpstreamTlsOptions,
  upstreamTls,
} from '../features/upstream-tls.ts';
import { zoneAware, zoneAwareSetting } from '../features/zone-aware.ts';
import { clusterSni, configPath } from '../names.ts';
import { addErrorMatcher } from '../newer-fields.ts';
import { madeOf } from '../origins.ts';
import { type OutboundTarget, targetName } from '../outbound-target.ts';
import { duration, fromAds, type Init, istioMetadata, packed } from '../wire.ts';
import { identitiesOf } from './identities.ts';

type ClusterInit = Init<typeof ClusterSchema>;

/** Undefined when the cluster could reach nothing ever: DNS resolution without a name to resolve. */
export function outboundClusterOf(
  mesh: Mesh,
  audience: Audience,
  target: OutboundTarget,
): Cluster | undefined {
  const name = targetName(target);
  const { policy } = target;
  const type = discoveryType(target, audience.type);
  const settings = mesh.settings.config;
  const discovery = discoveryOf(mesh, audience, target, type);
  if (!discovery) return undefined;
  const cluster = create(ClusterSchema, {
    name,
    altStatName: statName(mesh, target, name),
    clusterDiscoveryType: { case: 'type', value: type },
    connectTimeout: duration(mesh.settings.connectTimeoutMs),
    metadata: istioMetadata(ruleOf(target), target.subset ? { subset: target.subset.name } : {}),
    ...balancing(policy.loadBalancer, type),
    ...connectionPool(policy.connectionPool, settings, policy.retryBudget),
    outlierDetection: policy.outlierDetection && outlierDetection(policy.outlierDetection),
    commonLbConfig: commonLb(mesh, target),
    ...discovery,
    ...(target.passesTls ? {} : withProxyProtocol(tlsOf(mesh, audience, target, type), policy.proxyProtocol)),
  });
  if (!target.passesTls) addProtocolOptions(cluster, target, mesh, audience.type);
  return madeOf(cluster, ...originsOf(target));
}

/** The subset, the policy and the port, the most specific first. */
function originsOf({ subset, rule, port }: OutboundTarget): readonly Origin[] {
  const portPolicy = (rule?.trafficPolicy?.portLevelSettings ?? []).findIndex(
    (settings) => settings.port?.number === port.number,
  );
  const policies = rule?.policyOrigins ?? [];
  const ofPort = policies
    .slice(0, portPolicy < 0 ? 0 : 1)
    .map((origin) => within(origin, `${origin.path}.portLevelSettings[${portPolicy}]`));
  return [...(subset ? [subset.origin] : []), ...ofPort, ...policies, port.origin];
}

function statName(mesh: Mesh, { service, port, subset }: OutboundTarget, name: string): string {
  const subject = {
    hostname: service.hostname,
    port: port.number,
    portName: port.name,
    subset: subset?.name,
  };
  return clusterStatName(mesh.settings.config.outboundClusterStatName, name, subject, mesh.settings.domain);
}

function ruleOf({ rule, subset }: OutboundTarget): string | undefined {
  return (
    rule &&
    configPath('destination-rule', subset?.ruleNamespace ?? rule.namespace, subset?.ruleName ?? rule.name)
  );
}

function discoveryType(target: OutboundTarget, client: Audience['type']): Cluster_DiscoveryType {
  const { service } = target;
  // Where a sidecar's client dials decides, whatever else is known of the service; a gateway's client dials
  // the gateway.
  if (client === 'sidecar' && isPassedOn(target) && service.resolution !== 'dynamic-dns')
    return Cluster_DiscoveryType.ORIGINAL_DST;
  switch (service.resolution) {
    case 'dns':
    case 'dynamic-dns':
      return Cluster_DiscoveryType.STRICT_DNS;
    case 'dns-round-robin':
      return Cluster_DiscoveryType.LOGICAL_DNS;
    default:
      return Cluster_DiscoveryType.EDS;
  }
}

/** Connections go where the client dialled. A subset of such a rule cannot ask for more. */
function isPassedOn({ service, policy, rule, port }: OutboundTarget): boolean {
  const ofRule = effectivePolicy(rule, port.number, undefined);
  return (
    service.resolution === 'original-destination' ||
    [policy, ofRule].some(({ loadBalancer: own }) => own?.simple === 'PASSTHROUGH')
  );
}

function balancing(settings: LoadBalancerSettings | undefined, type: Cluster_DiscoveryType): ClusterInit {
  if (type === Cluster_DiscoveryType.ORIGINAL_DST) return { lbPolicy: Cluster_LbPolicy.CLUSTER_PROVIDED };
  return loadBalancer(settings?.simple === 'PASSTHROUGH' ? undefined : settings);
}

function discoveryOf(
  mesh: Mesh,
  audience: Audience,
  target: OutboundTarget,
  type: Cluster_DiscoveryType,
): ClusterInit | undefined {
  const name = targetName(target);
  if (type === Cluster_DiscoveryType.EDS)
    return { edsClusterConfig: { edsConfig: fromAds, serviceName: name } };
  if (type === Cluster_DiscoveryType.ORIGINAL_DST) return originalDestination(target);
  if (target.service.resolution === 'dynamic-dns')
    return dynamicDnsCluster(mesh.settings.config, target.policy.tls);
  const assignment = clusterLoadAssignment(mesh, audience, target, 'inline');
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

function commonLb(mesh: Mesh, target: OutboundTarget): ClusterInit['commonLbConfig'] {
  const { policy, service } = target;
  const zones = zoneAwareSetting(policy.loadBalancer, service, mesh.settings.config);
  const weighted = { localityConfigSpecifier: { case: 'localityWeightedLbConfig', value: {} } as const };
  const byWeight = weighsLocalities(mesh, target) ? weighted : {};
  return {
    healthyPanicThreshold: { value: mayPanic(target) ? (policy.outlierDetection?.minHealthPercent ?? 0) : 0 },
    ...(zones ? zoneAware(zones) : byWeight),
  };
}

function tlsOf(
  mesh: Mesh,
  audience: Audience,
  target: OutboundTarget,
  type: Cluster_DiscoveryType,
): ClusterSockets {
  const { service, port, policy } = target;
  const options: UpstreamTlsOptions = {
    http2:
      isHttp2(port.protocol) || upgradesToHttp2(port.protocol, policy.connectionPool, mesh.settings.config),
    sni: clusterSni({
      direction: 'outbound',
      port: port.number,
      subset: target.subset?.name ?? '',
      host: service.hostname,
    }),
    subjectAltNames: identitiesOf(mesh, service),
    defaults: mesh.settings.config.tlsDefaults,
  };
  if (policy.tls) {
    if (isCredentialOfAnyone(audience, target)) return {};
    const own =
      policy.tls.mode === 'ISTIO_MUTUAL' ? options : { ...options, subjectAltNames: service.subjectAltNames };
    return { transportSocket: upstreamTls(policy.tls, own) };
  }
  if (
    service.resolution === 'dynamic-dns' ||
    !mesh.settings.autoMutualTls ||
    service.meshExternal ||
    mesh.namespaceMutualTls(service.namespace) === 'DISABLE'
  )
    return {};
  // Nobody can tell who is dialled: mutual TLS only when every known endpoint can do it.
  if (isPassedOn(target) && !everyEndpointTakesTls(mesh, target)) return {};
  return type === Cluster_DiscoveryType.ORIGINAL_DST
    ? { transportSocket: meshTls(options) }
    : { transportSocketMatches: automaticMeshTls(options) };
}

function everyEndpointTakesTls(mesh: Mesh, { service, port }: OutboundTarget): boolean {
  const endpoints = mesh.endpoints(service).filter(({ servicePort }) => servicePort === port.name);
  return endpoints.length > 0 && endpoints.every(({ tlsMode }) => tlsMode === 'istio');
}

/**
 * A sidecar is given a secret only by a rule that selects its workload: else every sidecar would wait for
 * what most may not read.
 * https://istio.io/latest/docs/reference/config/networking/destination-rule/#ClientTLSSettings
 * (credentialName)
 */
function isCredentialOfAnyone({ type }: Audience, { policy: { tls }, rule }: OutboundTarget): boolean {
  const isSecret = Boolean(tls?.credentialName) && !tls?.credentialName?.startsWith(configMapScheme);
  const isOriginated = tls?.mode === 'SIMPLE' || tls?.mode === 'MUTUAL';
  return type === 'sidecar' && isSecret && isOriginated && !rule?.workloadSelector && !rule?.isGenerated;
}

function addProtocolOptions(
  cluster: Cluster,
  { port, policy }: OutboundTarget,
  mesh: Mesh,
  type: Audience['type'],
): void {
  // A gateway's clients speak the protocol of the gateway's port, which says nothing of the service.
  const protocol = type === 'router' && port.protocol === 'auto' ? 'http' : port.protocol;
  const upgrade = upgradesToHttp2(port.protocol, policy.connectionPool, mesh.settings.config);
  const matcher = errorMatcher(policy.outlierDetection);
  const names = automaticNames(policy.tls);
  let options = httpProtocolOptions(protocol, policy.connectionPool, upgrade);
  if (matcher || names) {
    options ??= create(HttpProtocolOptionsSchema, {
      upstreamProtocolOptions: {
        case: 'explicitHttpConfig',
        value: { protocolConfig: { case: 'httpProtocolOptions', value: {} } },
      },
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
