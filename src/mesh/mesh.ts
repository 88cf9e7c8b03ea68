// The mesh as clients see it: the services, rules and policies that hold for an audience, each derived once and shared.
import { type Derived, deepEqual, type Family, type Input, type MemoEngine, type TableIndex } from '../base/index.ts';
import type { MeshConfig, TrafficPolicy } from '../config/index.ts';
import {
  type ConfigStore,
  type Endpoint,
  type ObjectOf,
  oldestFirst,
  type Registry,
  type Service,
  splitKey,
  wildcardsOver,
} from '../registry/index.ts';
import { mergeDelegates } from './delegates.ts';
import {
  type DestinationRuleModel,
  destinationRuleHost,
  effectivePolicy,
  mergeRules,
  resolveDestinationRule,
  ruleForClient,
  type SubsetModel,
} from './destination-rule.ts';
import { type GatewayPort, type GatewayTarget, gatewayPortsOf } from './gateways.ts';
import { defaultFeatures, type MeshFeatures } from './mesh-features.ts';
import { type MeshSettings, meshSettings } from './mesh-settings.ts';
import { type MutualTls, type MutualTlsMode, mutualTlsOf, namespaceMode, type PeerAuthentications } from './peer-authentication.ts';
import type { Audience, ProxyNode } from './proxy.ts';
import { selectorLabelIndexes } from './selector-labels.ts';
import { chooseSidecar, importsVirtualService, type SidecarScope, scopeOf } from './sidecar-scope.ts';
import {
  isDelegate,
  meshGateway,
  olderFirst,
  resolveVirtualService,
  sameModel,
  type VirtualServiceModel,
  virtualServiceHosts,
} from './virtual-service.ts';
import { isVisible, visibilityOf } from './visibility.ts';

export class Mesh {
  readonly registry: Registry;
  readonly store: ConfigStore;
  readonly features: MeshFeatures;
  readonly #settings: Derived<MeshSettings>;
  readonly #config: Input<MeshConfig>;
  readonly #virtualServices: Family<VirtualServiceModel | undefined>;
  readonly #rules: Family<DestinationRuleModel | undefined>;
  readonly #rulesOfHost: Family<readonly DestinationRuleModel[]>;
  readonly #visibleServices: Family<readonly Service[]>;
  readonly #virtualServiceHosts: TableIndex<ObjectOf<'VirtualService'>>;
  readonly #virtualServiceGateways: TableIndex<ObjectOf<'VirtualService'>>;
  readonly #ruleHosts: TableIndex<ObjectOf<'DestinationRule'>>;
  readonly #sidecars: TableIndex<ObjectOf<'Sidecar'>>;
  readonly #peerAuthentications: TableIndex<ObjectOf<'PeerAuthentication'>>;
  readonly #labelKeys: Derived<readonly string[]>;

  constructor(
    engine: MemoEngine,
    store: ConfigStore,
    registry: Registry,
    config: MeshConfig = {},
    features: MeshFeatures = defaultFeatures,
  ) {
    this.store = store;
    this.registry = registry;
    this.features = features;
    this.#config = engine.input(config, deepEqual);
    this.#settings = engine.derive('settings', () => meshSettings(this.#config.get(), store.domain), deepEqual);
    this.#virtualServices = engine.family('virtualService', (key) => this.#buildVirtualService(key), sameModel);
    this.#rules = engine.family('destinationRule', (key) => this.#buildRule(key), deepEqual);
    this.#rulesOfHost = engine.family('rulesOfHost', (key) => this.#buildRulesOfHost(key), deepEqual);
    this.#visibleServices = engine.family('visibleServices', (namespace) => this.#buildVisibleServices(namespace), sameItems);
    const virtualServices = store.table('VirtualService');
    this.#virtualServiceHosts = virtualServices.index((object) => [...new Set(virtualServiceHosts(object, store.domain))]);
    this.#virtualServiceGateways = virtualServices.index((object) => gatewaysNamedBy(object));
    this.#ruleHosts = store
      .table('DestinationRule')
      .index((object) => [`${object.metadata.namespace}/${destinationRuleHost(object, store.domain)}`]);
    this.#sidecars = store.table('Sidecar').index((object) => [object.metadata.namespace]);
    this.#peerAuthentications = store.table('PeerAuthentication').index((object) => [object.metadata.namespace]);
    const labelIndexes = selectorLabelIndexes(store);
    this.#labelKeys = engine.derive<readonly string[]>(
      'selectorLabels',
      () => [...new Set(labelIndexes.flatMap((index) => index.buckets()))].sort(),
      deepEqual,
    );
  }

  get settings(): MeshSettings {
    return this.#settings.get();
  }

  setConfig(config: MeshConfig): boolean {
    return this.#config.set(config);
  }

  audienceOf(proxy: ProxyNode): Audience {
    const keys = this.#labelKeys.get();
    const labels = Object.fromEntries(keys.flatMap((key) => (proxy.labels[key] === undefined ? [] : [[key, proxy.labels[key]]])));
    return {
      type: proxy.type,
      namespace: proxy.namespace,
      labels,
      locality: proxy.locality,
      network: proxy.network,
      captured: proxy.captured,
      allocated: proxy.capturesDns && proxy.type === 'sidecar' ? addressKind(proxy.addresses) : '',
    };
  }

  // Services

  /** The services that a namespace may see, one a host name, in the order in which listeners take them: oldest first. */
  visibleServices(namespace: string): readonly Service[] {
    return this.#visibleServices.get(namespace);
  }

  /** The service that a host name means to clients of a namespace: their own, else Kubernetes', else the oldest. */
  serviceFor(namespace: string, host: string): Service | undefined {
    return preferred(
      this.registry.servicesOfHost(host).filter((service) => this.seesService(namespace, service)),
      namespace,
    );
  }

  seesService(namespace: string, service: Service): boolean {
    return isVisible(visibilityOf(service.exportTo, service.namespace, this.settings.config.defaultServiceExportTo), namespace);
  }

  /** ExternalName services that stand for a service. */
  aliasesOf(namespace: string, service: Service): readonly Service[] {
    return this.registry.aliasKeys(service.hostname).flatMap((key) => {
      const alias = this.registry.service(key);
      return alias && this.seesService(namespace, alias) ? [alias] : [];
    });
  }

  /** The virtual addresses of a service as a client knows them. */
  addressesOf({ allocated }: Pick<Audience, 'allocated'>, service: Service): readonly string[] {
    if (service.addresses.length > 0 || service.headless || allocated === '' || service.source === 'kubernetes') return service.addresses;
    const given = service.allocatedAddresses?.filter((address) => address.includes(':') === (allocated === 'ipv6')) ?? [];
    if (given.length > 0) return given;
    const own = this.registry.allocatedAddresses(service.key);
    return own ? [own[allocated]] : [];
  }

  endpoints(service: Service): readonly Endpoint[] {
    return this.registry.endpoints(service.key);
  }

  /** The scope of a sidecar; a gateway sees everything visible. */
  scope(audience: Audience): SidecarScope {
    if (audience.type === 'router') return scopeOf(undefined);
    const root = this.settings.rootNamespace;
    return scopeOf(
      chooseSidecar(this.#sidecars.get(audience.namespace), root === audience.namespace ? [] : this.#sidecars.get(root), audience.labels),
    );
  }

  // Routing rules

  /** Resolved and with its delegates merged in; undefined for a delegate or when there is none. */
  virtualService(key: string): VirtualServiceModel | undefined {
    return this.#virtualServices.get(key);
  }

  /**
   * The VirtualServices that could route a host's requests for a sidecar, first to be tried first: those that name the host, else those of
   * the most specific wildcard over it. Inside, the client's private ones, then those exported to it by name, then the public ones; by age.
   */
  virtualServicesOf(audience: Audience, host: string): readonly VirtualServiceModel[] {
    for (const pattern of [host, ...wildcardsOver(host)]) {
      const found = this.#sidecarVirtualServices(audience, pattern);
      if (found.length > 0) return pattern === host ? found : found.slice(0, 1);
    }
    return [];
  }

  /** Host patterns of VirtualServices, of any namespace and binding. */
  virtualServiceHostPatterns(): readonly string[] {
    return this.#virtualServiceHosts.buckets();
  }

  /** VirtualServices for sidecars that name exactly this pattern. */
  virtualServicesNaming(audience: Audience, pattern: string): readonly VirtualServiceModel[] {
    return this.#sidecarVirtualServices(audience, pattern);
  }

  /** Whether a host that is no service is routed for a sidecar: by any VirtualService, or by one that also names one of `together`. */
  isServedElsewhere(audience: Audience, pattern: string, together: ReadonlySet<string> | undefined): boolean {
    const naming = this.#virtualServiceHosts.get(pattern);
    if (naming.length === 0) return false;
    if (together && !naming.some((object) => virtualServiceHosts(object, this.store.domain).some((host) => together.has(host))))
      return false;
    return this.#sidecarVirtualServices(audience, pattern).some((model) => !together || model.hosts.some((host) => together.has(host)));
  }

  /** VirtualServices bound to a Gateway and visible to the gateway workload's namespace, oldest first. */
  virtualServicesOfGateway(gateway: string, namespace: string): readonly VirtualServiceModel[] {
    return this.#virtualServiceGateways
      .get(gateway)
      .flatMap((object) => this.virtualService(`${object.metadata.namespace}/${object.metadata.name}`) ?? [])
      .filter((model) => isVisible(model.visibility, namespace))
      .sort(olderFirst);
  }

  // Policies

  /**
   * The DestinationRule for a service as a client sees it. Searched in the client's namespace, the service's, the root namespace.
   * The most specific host wins inside each.
   */
  destinationRule(audience: Pick<Audience, 'namespace' | 'labels'>, service: Service): DestinationRuleModel | undefined {
    const { rootNamespace } = this.settings;
    // What the root namespace publishes is the mesh's default, so for its own proxies only its private rules go first.
    const own = this.#ruleIn(audience.namespace, service.hostname, audience, audience.namespace === rootNamespace ? 'private' : 'visible');
    if (own) return own;
    const ofService = this.#ruleIn(service.namespace, service.hostname, audience, 'visible');
    return ofService ?? this.#ruleIn(rootNamespace, service.hostname, audience, 'visible');
  }

  /** The policy in force on a port of a service, over the mesh's default. */
  trafficPolicy(rule: DestinationRuleModel | undefined, port: number, subset: SubsetModel | undefined): TrafficPolicy {
    return effectivePolicy(rule, port, subset, this.settings.config.defaultTrafficPolicy);
  }

  mutualTls(namespace: string, labels: Readonly<Record<string, string>>): MutualTls {
    return mutualTlsOf(this.#peerAuthenticationsOf(namespace), labels);
  }

  namespaceMutualTls(namespace: string): MutualTlsMode {
    return namespaceMode(this.#peerAuthenticationsOf(namespace));
  }

  // Gateways

  /** What a gateway's proxies listen on. */
  gatewayPorts(audience: Audience, targets: readonly GatewayTarget[]): readonly GatewayPort[] {
    return gatewayPortsOf(this.store.table('Gateway').values(), audience.labels, targets);
  }

  #sidecarVirtualServices(audience: Audience, pattern: string): readonly VirtualServiceModel[] {
    const { namespace } = audience;
    const scope = this.scope(audience);
    return this.#virtualServiceHosts
      .get(pattern)
      .flatMap((object) => this.virtualService(`${object.metadata.namespace}/${object.metadata.name}`) ?? [])
      .filter((model) => boundToMesh(model) && isVisible(model.visibility, namespace))
      .filter((model) => scope.egress.some((egress) => importsVirtualService(egress, model.namespace, model.hosts)))
      .sort((a, b) => privacy(a, namespace) - privacy(b, namespace) || olderFirst(a, b));
  }

  #ruleIn(
    namespace: string,
    host: string,
    audience: Pick<Audience, 'namespace' | 'labels'>,
    which: 'private' | 'visible',
  ): DestinationRuleModel | undefined {
    for (const pattern of [host, ...wildcardsOver(host)]) {
      const rules = this.#rulesOfHost
        .get(`${namespace}/${pattern}`)
        .filter((rule) => isVisible(rule.visibility, audience.namespace) && (which === 'visible' || rule.visibility.kind === 'named'))
        // A rule with a selector speaks for workloads of its own namespace only.
        .filter((rule) => !rule.workloadSelector || audience.namespace === namespace);
      const rule = ruleForClient(rules, audience.labels);
      if (rule) return rule;
    }
    return undefined;
  }

  #peerAuthenticationsOf(namespace: string): PeerAuthentications {
    const { rootNamespace } = this.settings;
    return {
      root: this.#peerAuthentications.get(rootNamespace),
      namespace: namespace === rootNamespace ? [] : this.#peerAuthentications.get(namespace),
    };
  }

  #buildVirtualService(key: string): VirtualServiceModel | undefined {
    const object = this.store.table('VirtualService').get(key);
    if (!object || isDelegate(object.spec)) return undefined;
    return mergeDelegates(this.#resolve(object), (delegate, namespace) => this.#delegate(delegate, namespace));
  }

  #delegate(key: string, rootNamespace: string): VirtualServiceModel | undefined {
    const object = this.store.table('VirtualService').get(key);
    if (!object || !isDelegate(object.spec)) return undefined;
    const model = this.#resolve(object);
    return isVisible(model.visibility, rootNamespace) ? model : undefined;
  }

  #resolve(object: ObjectOf<'VirtualService'>): VirtualServiceModel {
    return resolveVirtualService(object, {
      domain: this.settings.domain,
      defaultExportTo: this.settings.config.defaultVirtualServiceExportTo,
    });
  }

  #buildRule(key: string): DestinationRuleModel | undefined {
    const object = this.store.table('DestinationRule').get(key);
    return object && resolveDestinationRule(object, this.settings.domain, this.settings.config.defaultDestinationRuleExportTo);
  }

  #buildRulesOfHost(key: string): readonly DestinationRuleModel[] {
    return mergeRules(
      this.#ruleHosts.get(key).flatMap((object) => this.#rules.get(`${object.metadata.namespace}/${object.metadata.name}`) ?? []),
    );
  }

  #buildVisibleServices(namespace: string): readonly Service[] {
    const byHost = new Map<string, Service[]>();
    for (const key of this.registry.keys()) {
      const service = this.registry.service(key);
      if (!service || !this.seesService(namespace, service)) continue;
      const { host } = splitKey(key);
      const sharing = byHost.get(host);
      if (sharing) sharing.push(service);
      else byHost.set(host, [service]);
    }
    return [...byHost.values()].flatMap((services) => preferred(services, namespace) ?? []).sort(oldestFirst);
  }
}

function preferred(services: readonly Service[], namespace: string): Service | undefined {
  return (
    services.find((service) => service.namespace === namespace) ??
    services.find((service) => service.source === 'kubernetes') ??
    [...services].sort(oldestFirst)[0]
  );
}

function addressKind(addresses: readonly string[]): 'ipv4' | 'ipv6' {
  return addresses.every((address) => address.includes(':')) ? 'ipv6' : 'ipv4';
}

function gatewaysNamedBy(object: ObjectOf<'VirtualService'>): readonly string[] {
  const { namespace } = object.metadata;
  const model = resolveVirtualService(object, { domain: '', defaultExportTo: undefined });
  const inMatches = [...model.http, ...model.tls, ...model.tcp].flatMap((route) =>
    (route.match ?? []).flatMap((match) => match.gateways ?? []),
  );
  return [...new Set([...model.gateways, ...inMatches])].filter((gateway) => gateway !== meshGateway && namespace !== '');
}

function boundToMesh(model: VirtualServiceModel): boolean {
  return model.gateways.includes(meshGateway);
}

function privacy(model: VirtualServiceModel, namespace: string): number {
  if (model.visibility.kind === 'public') return 2;
  return model.namespace === namespace && model.visibility.namespaces.length === 1 ? 0 : 1;
}

/** The same items in the same order, by identity: what the registry hands out stays identical while equal. */
function sameItems(a: readonly Service[], b: readonly Service[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
