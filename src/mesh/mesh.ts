// The mesh as clients see it: the services, rules and policies that hold for an audience, each derived once
// and shared.
import {
  type Derived,
  deepEqual,
  type Family,
  type Input,
  type Interner,
  type MemoEngine,
  type TableIndex,
} from '../base/index.ts';
import type { Destination, MeshConfig, TrafficPolicy } from '../config/index.ts';
import {
  type ConfigStore,
  type Endpoint,
  isPartialWildcard,
  keyOf,
  type ObjectOf,
  type Registry,
  resolveHost,
  type Service,
  topologyLabels,
  wildcardsOver,
} from '../registry/index.ts';
import { mergeDelegates } from './delegates.ts';
import {
  type DestinationRuleModel,
  effectivePolicy,
  ruleForClient,
  ruleForEveryone,
  type SubsetModel,
} from './destination-rule.ts';
import { DestinationRules } from './destination-rules.ts';
import { type GatewayPort, type GatewayTarget, gatewayPortsOf } from './gateways.ts';
import { defaultFeatures, type MeshFeatures } from './mesh-features.ts';
import { type MeshSettings, meshSettings } from './mesh-settings.ts';
import { knownProxy } from './own-workload.ts';
import {
  type MutualTls,
  type MutualTlsMode,
  mutualTlsOf,
  namespaceMode,
  type PeerAuthentications,
} from './peer-authentication.ts';
import { type Audience, audienceText, type ProxyNode } from './proxy.ts';
import { meshPlaceLabels, placeLabelIndexes, selectorLabelIndexes } from './selector-labels.ts';
import { type Client, ServiceScope } from './service-scope.ts';
import {
  chooseSidecar,
  type EgressScope,
  importsService,
  importsVirtualService,
  type SidecarScope,
  scopeOf,
} from './sidecar-scope.ts';
import {
  firstTriedFirst,
  isDelegate,
  meshGateway,
  resolveVirtualService,
  sameModel,
  type VirtualServiceModel,
  virtualServiceHosts,
} from './virtual-service.ts';
import { isVisible, nearness, visibilityOf } from './visibility.ts';

export class Mesh {
  readonly registry: Registry;
  readonly store: ConfigStore;
  readonly features: MeshFeatures;
  readonly #audiences: Interner<Audience>;
  readonly #settings: Derived<MeshSettings>;
  readonly #config: Input<MeshConfig>;
  readonly #virtualServices: Family<[key: string], VirtualServiceModel | undefined>;
  readonly #rules: DestinationRules;
  readonly #services: ServiceScope;
  readonly #virtualServiceHosts: TableIndex<ObjectOf<'VirtualService'>>;
  readonly #partialHosts: TableIndex<ObjectOf<'VirtualService'>>;
  readonly #virtualServiceGateways: TableIndex<ObjectOf<'VirtualService'>>;
  readonly #httpDestinations: TableIndex<ObjectOf<'VirtualService'>>;
  readonly #sidecars: TableIndex<ObjectOf<'Sidecar'>>;
  readonly #peerAuthentications: TableIndex<ObjectOf<'PeerAuthentication'>>;
  readonly #selectorLabels: Derived<readonly string[]>;
  readonly #placeLabels: Derived<readonly string[]>;

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
    this.#audiences = engine.interner(audienceText);
    this.#config = engine.input(config, deepEqual);
    this.#settings = engine.derive(
      'settings',
      () => meshSettings(this.#config.get(), store.domain),
      deepEqual,
    );
    this.#virtualServices = engine.family(
      'virtualService',
      (key) => this.#buildVirtualService(key),
      sameModel,
    );
    this.#rules = new DestinationRules(engine, store, () => this.settings);
    this.#services = new ServiceScope(engine, {
      store,
      registry,
      scope: (client) => this.scope(client),
      nearness: (namespace, service) => this.#nearness(namespace, service),
      virtualService: (namespace, key) => this.#meshVirtualService(namespace, key),
    });
    const virtualServices = store.table('VirtualService');
    this.#virtualServiceHosts = virtualServices.index((object) => [
      ...new Set(virtualServiceHosts(object, store.domain)),
    ]);
    this.#partialHosts = virtualServices.index((object) =>
      virtualServiceHosts(object, store.domain).filter(isPartialWildcard),
    );
    this.#virtualServiceGateways = virtualServices.index((object) => gatewaysNamedBy(object));
    this.#httpDestinations = virtualServices.index((object) => httpDestinations(object, store.domain));
    this.#sidecars = store.table('Sidecar').index((object) => [object.metadata.namespace]);
    this.#peerAuthentications = store
      .table('PeerAuthentication')
      .index((object) => [object.metadata.namespace]);
    const [selectors, places] = [selectorLabelIndexes(store), placeLabelIndexes(store)];
    const bucketsOf = (indexes: readonly { buckets(): readonly string[] }[]): readonly string[] =>
      indexes.flatMap((index) => index.buckets());
    this.#selectorLabels = engine.derive<readonly string[]>(
      'selectorLabels',
      () => inOrder(bucketsOf(selectors)),
      deepEqual,
    );
    this.#placeLabels = engine.derive<readonly string[]>(
      'placeLabels',
      () => inOrder([...bucketsOf(places), ...meshPlaceLabels(this.settings.config)]),
      deepEqual,
    );
  }

  get settings(): MeshSettings {
    return this.#settings.get();
  }

  setConfig(config: MeshConfig): boolean {
    return this.#config.set(config);
  }

  /** The proxy as the resources know it. */
  known(proxy: ProxyNode): ProxyNode {
    return knownProxy(this.store, proxy);
  }

  /** What of a known proxy decides its listeners and routes, wherever it is. */
  audienceOf(proxy: ProxyNode): Audience {
    return this.#audiences.intern(this.#audience(proxy));
  }

  #audience(proxy: ProxyNode): Audience {
    return {
      type: proxy.type,
      namespace: proxy.namespace,
      labels: labelsAmong(this.#selectorLabels.get(), proxy),
      locality: '',
      node: '',
      network: proxy.network,
      captured: proxy.captured,
      allocated: proxy.capturesDns && proxy.type === 'sidecar' ? addressKind(proxy.addresses) : '',
    };
  }

  /** What of a known proxy, and of its place, decides its endpoints and their clusters. */
  locatedAudienceOf(proxy: ProxyNode): Audience {
    const keys = this.#placeLabels.get();
    return this.#audiences.intern({
      ...this.#audience(proxy),
      labels: labelsAmong([...this.#selectorLabels.get(), ...keys], proxy),
      locality: proxy.locality,
      node: keys.includes(topologyLabels.node)
        ? (proxy.nodeName ?? proxy.labels[topologyLabels.node] ?? '')
        : '',
    });
  }

  // Services

  /**
   * The services that clients of a kind and namespace may see, one a host name, in the order in which
   * listeners take them.
   */
  visibleServices(client: Pick<Client, 'type' | 'namespace'>): readonly Service[] {
    return this.#services.visible(client);
  }

  /** What a listener of a client's scope reaches, one service a host name. */
  servicesReachedBy(client: Client, egress: EgressScope): readonly Service[] {
    return this.#services.reachedBy(client, egress);
  }

  /** Every service that a client has any part of. */
  reachableServices(client: Client): readonly Service[] {
    return this.#services.reachable(client);
  }

  /** The service that a host name means to a client, as much of it as the client's scope has. */
  serviceFor(client: Client, host: string): Service | undefined {
    return this.#services.serviceFor(client, host);
  }

  seesService(namespace: string, service: Service): boolean {
    return this.#nearness(namespace, service) !== undefined;
  }

  /** ExternalName services that stand for a service at a listener of a client's scope. */
  aliasesOf(namespace: string, egress: EgressScope, service: Service): readonly Service[] {
    return this.registry.aliasKeys(service.hostname).flatMap((key) => {
      const alias = this.registry.service(key);
      return alias && this.seesService(namespace, alias) && importsService(egress, alias) ? [alias] : [];
    });
  }

  /** The host whose clusters requests for a host go to: an ExternalName service has none of its own. */
  clusterHost(client: Client, host: string): string {
    return this.serviceFor(client, host)?.externalName?.toLowerCase() || host;
  }

  /** The virtual addresses of a service as a client knows them. */
  addressesOf({ allocated }: Pick<Audience, 'allocated'>, service: Service): readonly string[] {
    if (
      service.addresses.length > 0 ||
      service.headless ||
      allocated === '' ||
      service.source === 'kubernetes'
    )
      return service.addresses;
    const given =
      service.allocatedAddresses?.filter((address) => address.includes(':') === (allocated === 'ipv6')) ?? [];
    if (given.length > 0) return given;
    const own = this.registry.allocatedAddresses(service.key);
    return own ? [own[allocated]] : [];
  }

  endpoints(service: Service): readonly Endpoint[] {
    return this.registry.endpoints(service.key);
  }

  /** The scope of a sidecar; a gateway sees everything visible. */
  scope({ type, namespace, labels }: Client): SidecarScope {
    if (type === 'router') return scopeOf(undefined, namespace);
    const root = this.settings.rootNamespace;
    const sidecar = chooseSidecar(
      this.#sidecars.get(namespace),
      root === namespace ? [] : this.#sidecars.get(root),
      labels,
    );
    return scopeOf(sidecar, namespace);
  }

  // Routing rules

  /** Resolved and with its delegates merged in; undefined for a delegate or when there is none. */
  virtualService(key: string): VirtualServiceModel | undefined {
    return this.#virtualServices.get(key);
  }

  /**
   * The VirtualServices that could route a host's requests at a listener of a sidecar, first to be tried
   * first: those that name the host, else those of the most specific wildcard over it. Inside, the client's
   * private ones, then those exported to it by name, then the public ones; by age.
   */
  virtualServicesOf(namespace: string, egress: EgressScope, host: string): readonly VirtualServiceModel[] {
    for (const pattern of [host, ...wildcardsOver(host, this.#partialHosts.buckets())]) {
      const found = this.virtualServicesNaming(namespace, egress, pattern);
      if (found.length > 0) return pattern === host ? found : found.slice(0, 1);
    }
    return [];
  }

  /** Host patterns of VirtualServices, of any namespace and binding. */
  virtualServiceHostPatterns(): readonly string[] {
    return this.#virtualServiceHosts.buckets();
  }

  /** VirtualServices for sidecars that name exactly this pattern. */
  virtualServicesNaming(
    namespace: string,
    egress: EgressScope,
    pattern: string,
  ): readonly VirtualServiceModel[] {
    return this.#virtualServiceHosts
      .get(pattern)
      .flatMap((object) => this.#meshVirtualService(namespace, keyOf(object)) ?? [])
      .filter((model) => importsVirtualService(egress, model))
      .sort(firstTriedFirst(namespace));
  }

  /**
   * Whether a host that is no service is routed at a listener: by any VirtualService, or by one that also
   * names one of `together`.
   */
  isServedElsewhere(
    place: { readonly namespace: string; readonly egress: EgressScope },
    pattern: string,
    together: ReadonlySet<string> | undefined,
  ): boolean {
    const naming = this.#virtualServiceHosts.get(pattern);
    if (naming.length === 0) return false;
    if (
      together &&
      !naming.some((object) =>
        virtualServiceHosts(object, this.store.domain).some((host) => together.has(host)),
      )
    )
      return false;
    return this.virtualServicesNaming(place.namespace, place.egress, pattern).some(
      (model) => !together || model.hosts.some((host) => together.has(host)),
    );
  }

  /**
   * Whether HTTP rules of any VirtualService send requests to a port of a host; a rule that names no port
   * means any.
   */
  isHttpDestination(host: string, port: number): boolean {
    return this.#httpDestinations
      .get(host)
      .some((object) =>
        httpTargets(object).some(
          (target) =>
            resolveHost(target.host ?? '', object.metadata.namespace, this.store.domain) === host &&
            (target.port?.number ?? port) === port,
        ),
      );
  }

  /**
   * VirtualServices bound to a Gateway and visible to the gateway workload's namespace, first to be tried
   * first.
   */
  virtualServicesOfGateway(gateway: string, namespace: string): readonly VirtualServiceModel[] {
    return this.#virtualServiceGateways
      .get(gateway)
      .flatMap((object) => this.virtualService(keyOf(object)) ?? [])
      .filter((model) => isVisible(model.visibility, namespace))
      .sort(firstTriedFirst(namespace));
  }

  // Policies

  /** The DestinationRule for a service as a client sees it. */
  destinationRule(
    client: Pick<Client, 'namespace' | 'labels'>,
    service: Service,
  ): DestinationRuleModel | undefined {
    return ruleForClient(this.#rules.rulesFor(client.namespace, service), client);
  }

  /** The DestinationRules for a service that clients of a namespace may get, by their labels. */
  destinationRules(namespace: string, service: Service): readonly DestinationRuleModel[] {
    return this.#rules.rulesFor(namespace, service);
  }

  /** The DestinationRule for what comes in to a workload of a service. */
  inboundRule(namespace: string, service: Service): DestinationRuleModel | undefined {
    return ruleForEveryone(this.#rules.rulesFor(namespace, service));
  }

  /** The policy in force on a port of a service, over the mesh's default. */
  trafficPolicy(
    rule: DestinationRuleModel | undefined,
    port: number,
    subset: SubsetModel | undefined,
  ): TrafficPolicy {
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

  #meshVirtualService(namespace: string, key: string): VirtualServiceModel | undefined {
    const model = this.virtualService(key);
    return model?.gateways.includes(meshGateway) && isVisible(model.visibility, namespace)
      ? model
      : undefined;
  }

  #nearness(namespace: string, service: Service): number | undefined {
    const visibility = visibilityOf(
      service.exportTo,
      service.namespace,
      this.settings.config.defaultServiceExportTo,
    );
    return isVisible(visibility, namespace) ? nearness(visibility, service.namespace, namespace) : undefined;
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
    return mergeDelegates(this.#resolve(object), (delegate, namespace) =>
      this.#delegate(delegate, namespace),
    );
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
}

function httpTargets({ spec }: ObjectOf<'VirtualService'>): readonly Destination[] {
  return (spec.http ?? []).flatMap(({ route }) =>
    (route ?? []).flatMap(({ destination }) => destination ?? []),
  );
}

function httpDestinations(object: ObjectOf<'VirtualService'>, domain: string): readonly string[] {
  return [
    ...new Set(
      httpTargets(object).map(({ host = '' }) => resolveHost(host, object.metadata.namespace, domain)),
    ),
  ];
}

function inOrder(keys: readonly string[]): readonly string[] {
  return [...new Set(keys)].sort();
}

function labelsAmong(keys: readonly string[], { labels }: ProxyNode): Readonly<Record<string, string>> {
  return Object.fromEntries(keys.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]]])));
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
  return [...new Set([...model.gateways, ...inMatches])].filter(
    (gateway) => gateway !== meshGateway && namespace !== '',
  );
}
