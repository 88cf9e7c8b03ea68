// Which service a host name means to a client, and how much of it the client has: what its Sidecar imports,
// and what the VirtualServices that it imports lead to.
// https://github.com/istio/istio/blob/master/pilot/pkg/model/sidecar.go (selectServices,
// collectImportedServices)

import { deepEqual, type Family, type MemoEngine, type TableIndex } from '../base/index.ts';
import {
  byAge,
  type ConfigStore,
  keyOf,
  type ObjectOf,
  type Registry,
  type Service,
} from '../registry/index.ts';
import type { Audience } from './proxy.ts';
import {
  type EgressScope,
  importedPart,
  importsVirtualService,
  type SidecarScope,
  withPorts,
} from './sidecar-scope.ts';
import { destinationHosts, destinationsOf, isDelegate, type VirtualServiceModel } from './virtual-service.ts';

export type Client = Pick<Audience, 'type' | 'namespace' | 'labels'>;

export interface ScopeInputs {
  readonly store: ConfigStore;
  readonly registry: Registry;
  readonly scope: (client: Client) => SidecarScope;
  /**
   * 0 for a service that is private to the namespace, 1 for one exported to it by name, 2 for a public one;
   * undefined for none of them.
   */
  readonly nearness: (namespace: string, service: Service) => number | undefined;
  /** Resolved, if it is for sidecars and visible in the namespace. */
  readonly virtualService: (namespace: string, key: string) => VirtualServiceModel | undefined;
}

/**
 * What of a VirtualService decides which services clients of a namespace have: nothing that an edit of
 * weights changes.
 */
interface Lead extends Pick<VirtualServiceModel, 'namespace' | 'hosts' | 'semantics'> {
  readonly destinations: readonly { readonly host: string; readonly port: number }[];
}

export class ServiceScope {
  readonly #inputs: ScopeInputs;
  readonly #visible: Family<[namespace: string], readonly Service[]>;
  readonly #preferred: Family<[type: Client['type'], namespace: string], readonly Service[]>;
  /** By namespace of the client and key. */
  readonly #leads: Family<[client: string, key: string], Lead | undefined>;
  /** By a host that they route to, the VirtualServices whose rules, or whose delegates' rules, those are. */
  readonly #keysTo: Family<[host: string], readonly string[]>;
  readonly #virtualServicesTo: TableIndex<ObjectOf<'VirtualService'>>;
  readonly #rootsOf: TableIndex<ObjectOf<'VirtualService'>>;

  constructor(engine: MemoEngine, inputs: ScopeInputs) {
    this.#inputs = inputs;
    this.#visible = engine.family(
      'visibleServices',
      (namespace: string) => this.#buildVisible(namespace),
      sameItems,
    );
    this.#preferred = engine.family(
      'preferredServices',
      (type: Client['type'], namespace: string) =>
        onePerHost(this.#visible.get(namespace), { type, namespace }),
      sameItems,
    );
    this.#leads = engine.family(
      'virtualServiceLead',
      (client: string, key: string) => this.#buildLead(client, key),
      deepEqual,
    );
    this.#keysTo = engine.family('virtualServicesTo', (host: string) => this.#buildKeysTo(host), deepEqual);
    const virtualServices = inputs.store.table('VirtualService');
    this.#virtualServicesTo = virtualServices.index((object) =>
      destinationHosts(object, inputs.store.domain),
    );
    this.#rootsOf = virtualServices.index(({ spec, metadata }) =>
      (spec.http ?? []).flatMap(({ delegate }) =>
        delegate ? [`${delegate.namespace || metadata.namespace}/${delegate.name ?? ''}`] : [],
      ),
    );
  }

  /**
   * The services that clients of a kind and namespace may see, one a host name, in the order in which
   * listeners take them.
   */
  visible({ type, namespace }: Pick<Client, 'type' | 'namespace'>): readonly Service[] {
    return this.#preferred.get(type, namespace);
  }

  /**
   * What a listener of a client's scope reaches, one service a host name, in the order in which listeners
   * take them.
   */
  reachedBy(client: Client, egress: EgressScope): readonly Service[] {
    const { imports, onlyPort } = egress;
    const [first] = imports;
    if (
      onlyPort === undefined &&
      imports.length === 1 &&
      first?.namespace === '*' &&
      first.host === '*' &&
      !first.exclude
    )
      return this.visible(client);
    return onePerHost(
      this.#visible.get(client.namespace).flatMap((service) => importedPart(egress, service) ?? []),
      client,
    );
  }

  /** The service that a host name means to a client, as much of it as the client has. */
  serviceFor(client: Client, host: string): Service | undefined {
    const sharing = this.#inOrder(client.namespace, this.#inputs.registry.servicesOfHost(host));
    if (client.type === 'router') return onePerHost(sharing, client)[0];
    let found: Service | undefined;
    for (const egress of this.#inputs.scope(client).egress) {
      const [imported] = onePerHost(
        sharing.flatMap((service) => importedPart(egress, service) ?? []),
        client,
      );
      found = joined(found, imported);
      if (found && sharing.length === 1 && found === sharing[0]) return found;
      for (const lead of this.#leadingTo(client, egress, host))
        found = joined(found, this.#destination(client, egress, host, lead));
    }
    return found;
  }

  /** Every service that a client has any part of, by one listener or another. */
  reachable(client: Client): readonly Service[] {
    const { sidecar, egress } = this.#inputs.scope(client);
    if (!sidecar?.spec.egress?.length) return this.visible(client);
    const hosts = new Set(
      egress.flatMap((listener) => this.reachedBy(client, listener).map(({ hostname }) => hostname)),
    );
    for (const host of this.#virtualServicesTo.buckets()) hosts.add(host);
    return [...hosts].flatMap((host) => this.serviceFor(client, host) ?? []);
  }

  /** The VirtualServices in a listener's scope that route to a host. */
  #leadingTo(client: Client, egress: EgressScope, host: string): readonly Lead[] {
    return this.#keysTo.get(host).flatMap((key) => {
      const lead = this.#leads.get(client.namespace, key);
      return lead && importsVirtualService(egress, lead) ? [lead] : [];
    });
  }

  #buildKeysTo(host: string): readonly string[] {
    const naming = this.#virtualServicesTo.get(host);
    const roots = naming.flatMap((object) =>
      isDelegate(object.spec) ? this.#rootsOf.get(keyOf(object)) : [object],
    );
    return [...new Set(roots.map(keyOf))].sort();
  }

  #buildLead(client: string, key: string): Lead | undefined {
    const model = this.#inputs.virtualService(client, key);
    if (!model) return undefined;
    const { namespace, hosts, semantics } = model;
    const destinations = destinationsOf(model, client).map(({ host = '', port }) => ({
      host,
      port: port?.number ?? 0,
    }));
    return { namespace, hosts, semantics, destinations };
  }

  // Of the client's own namespace even when it is exported elsewhere only; else the first namespace that
  // shows it.
  #destination(
    client: Client,
    egress: EgressScope,
    host: string,
    { destinations }: Lead,
  ): Service | undefined {
    const named = destinations.filter((destination) => destination.host === host);
    if (named.length === 0) return undefined;
    const sharing = this.#inputs.registry.servicesOfHost(host);
    const service =
      sharing.find(({ namespace }) => namespace === client.namespace) ??
      sharing.find((candidate) => this.#inputs.nearness(client.namespace, candidate) !== undefined);
    const numbers = named.map(({ port }) => port);
    const wanted = egress.onlyPort === undefined ? numbers : [egress.onlyPort];
    return service && withPorts(service, wanted.includes(0) ? undefined : wanted);
  }

  #buildVisible(namespace: string): readonly Service[] {
    const { registry } = this.#inputs;
    return this.#inOrder(
      namespace,
      registry.keys().flatMap((key) => registry.service(key) ?? []),
    );
  }

  /**
   * Those that a namespace sees: its private ones first, then those exported to it by name, then the public
   * ones; by age inside.
   */
  #inOrder(namespace: string, services: readonly Service[]): readonly Service[] {
    const seen = services.flatMap((service) => {
      const nearness = this.#inputs.nearness(namespace, service);
      return nearness === undefined ? [] : [{ service, nearness }];
    });
    return seen
      .sort((a, b) => a.nearness - b.nearness || byAge(a.service, b.service))
      .map(({ service }) => service);
  }
}

/** Of services that share a host name: a sidecar's own namespace's, else Kubernetes', else the first. */
function onePerHost(
  services: readonly Service[],
  { type, namespace }: Pick<Client, 'type' | 'namespace'>,
): readonly Service[] {
  const chosen = new Map<string, Service>();
  for (const service of services) {
    const before = chosen.get(service.hostname);
    const isOwn = (candidate: Service): boolean => type === 'sidecar' && candidate.namespace === namespace;
    const isBetter =
      before && !isOwn(before) && before.source !== 'kubernetes' && service.source === 'kubernetes';
    if (!before || isBetter || (isOwn(service) && !isOwn(before))) chosen.set(service.hostname, service);
  }
  return services.filter((service) => chosen.get(service.hostname) === service);
}

/**
 * Of what several listeners have of a host: the first one's, save that Kubernetes goes before service
 * entries; parts of one service add up.
 */
function joined(before: Service | undefined, next: Service | undefined): Service | undefined {
  if (!before || !next) return before ?? next;
  if (before.key !== next.key)
    return before.source !== 'kubernetes' && next.source === 'kubernetes' ? next : before;
  const known = new Set(before.ports.map(({ number }) => number));
  const more = next.ports.filter(({ number }) => !known.has(number));
  return more.length > 0 ? { ...before, ports: [...before.ports, ...more] } : before;
}

/** The same items in the same order, by identity: what the registry hands out stays identical while equal. */
function sameItems(a: readonly Service[], b: readonly Service[]): boolean {
  return a.length === b.length && a.every((item, i) => item === b[i]);
}
