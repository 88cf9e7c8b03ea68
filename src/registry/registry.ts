// Services and their endpoints, derived from the resources in force.
import { type Derived, deepEqual, type Family, type MemoEngine } from '../base/index.ts';
import { byAge } from './age.ts';
import { type AllocatedAddresses, addressesAt, allocate } from './allocated-addresses.ts';
import type { ConfigStore } from './config-store.ts';
import { endpointsOf, labelsOfWorkload, selects } from './endpoints.ts';
import { kubernetesHost } from './hostname.ts';
import { serviceFromKubernetes } from './kubernetes-services.ts';
import type { Endpoint, Service } from './service.ts';
import { hostsOfEntry, serviceFromEntry } from './service-entries.ts';

export class Registry {
  readonly #store: ConfigStore;
  readonly #services: Family<[key: string], Service | undefined>;
  readonly #keysOfHost: Family<[key: string], readonly string[]>;
  readonly #endpoints: Family<[key: string], readonly Endpoint[]>;
  readonly #keys: Derived<readonly string[]>;
  readonly #keysAtAddress: Family<[key: string], readonly string[]>;
  readonly #allocations: Derived<ReadonlyMap<string, number>>;
  readonly #allocated: Family<[key: string], AllocatedAddresses | undefined>;

  constructor(engine: MemoEngine, store: ConfigStore) {
    this.#store = store;
    this.#services = engine.family('service', (key) => this.#buildService(key), deepEqual);
    this.#keysOfHost = engine.family('keysOfHost', (host) => this.#buildKeysOfHost(host), deepEqual);
    this.#endpoints = engine.family('endpoints', (key) => this.#buildEndpoints(key), deepEqual);
    this.#keysAtAddress = engine.family(
      'keysAtAddress',
      (address) => this.#buildKeysAtAddress(address),
      deepEqual,
    );
    this.#keys = engine.derive('serviceKeys', () => this.#buildKeys(), deepEqual);
    this.#allocations = engine.derive('allocations', () => allocate(store), deepEqual);
    this.#allocated = engine.family('allocatedAddresses', (key) => this.#buildAllocated(key), deepEqual);
  }

  /** By `namespace/hostname`. */
  service(key: string): Service | undefined {
    return this.#services.get(key);
  }

  /** The services that go by a host name, wherever they are declared. */
  servicesOfHost(host: string): readonly Service[] {
    return this.#keysOfHost.get(host).flatMap((key) => this.service(key) ?? []);
  }

  /** Every service key, in a stable order. */
  keys(): readonly string[] {
    return this.#keys.get();
  }

  /** Keys of the ExternalName services that stand for a host, by themselves or by way of another. */
  aliasKeys(host: string): readonly string[] {
    const found = new Set<string>();
    const add = (name: string): void => {
      for (const { metadata } of this.#store.aliasesOfHost.get(name)) {
        const alias = kubernetesHost(metadata.name, metadata.namespace, this.#store.domain);
        const key = `${metadata.namespace}/${alias}`;
        if (found.has(key)) continue;
        found.add(key);
        add(alias);
      }
    };
    add(host);
    return [...found].sort();
  }

  endpoints(key: string): readonly Endpoint[] {
    return this.#endpoints.get(key);
  }

  /** Addresses of our own for a service whose entries give none. */
  allocatedAddresses(key: string): AllocatedAddresses | undefined {
    return this.#allocated.get(key);
  }

  /** Keys of the services that may have an endpoint at an address. */
  keysAtAddress(address: string): readonly string[] {
    return this.#keysAtAddress.get(address);
  }

  #buildKeysAtAddress(address: string): readonly string[] {
    const store = this.#store;
    const ofService = (name: string, namespace: string): string =>
      `${namespace}/${kubernetesHost(name, namespace, store.domain)}`;
    const sliced = store.slicesOfAddress.get(address).map(({ metadata }) => {
      const name = metadata.labels['kubernetes.io/service-name'] ?? '';
      return ofService(name, metadata.namespace);
    });
    const workloads = [
      ...store.workloadsOfAddress
        .get(address)
        .map((entry) => ({ namespace: entry.metadata.namespace, labels: labelsOfWorkload(entry) })),
      ...store.podsOfAddress.get(address).map((pod) => pod.metadata),
    ];
    const selected = workloads.flatMap(({ namespace, labels }) =>
      store.servicesWithSelector
        .get(namespace)
        .filter(({ spec }) => selects(spec.selector ?? {}, labels))
        .map(({ metadata }) => ofService(metadata.name, namespace)),
    );
    const selecting = workloads.flatMap(({ namespace, labels }) =>
      store.entriesWithSelector
        .get(namespace)
        .filter(({ spec }) => selects(spec.workloadSelector?.labels ?? {}, labels)),
    );
    const declared = [...store.entriesOfAddress.get(address), ...selecting].flatMap((entry) =>
      hostsOfEntry(entry).map((host) => `${entry.metadata.namespace}/${host}`),
    );
    return [...new Set([...sliced, ...declared, ...selected])].sort();
  }

  #buildService(key: string): Service | undefined {
    const { namespace, host } = splitKey(key);
    const kubernetes = this.#store.serviceHosts
      .get(host)
      .find((object) => object.metadata.namespace === namespace);
    const entries = this.#store.entryHosts
      .get(host)
      .filter((object) => object.metadata.namespace === namespace);
    const inherited = this.#store.table('Namespace').get(`/${namespace}`)?.metadata.annotations ?? {};
    const own = entries.map((entry) => serviceFromEntry(entry, host, inherited)).sort(byAge);
    if (!kubernetes)
      return own.reduce<Service | undefined>(
        (merged, next) => (merged ? mergeEntries(merged, next) : next),
        undefined,
      );
    const service = serviceFromKubernetes(kubernetes, { domain: this.#store.domain, inherited });
    return { ...service, subjectAltNames: own.flatMap((entry) => entry.subjectAltNames) };
  }

  #buildAllocated(key: string): AllocatedAddresses | undefined {
    const position = this.#allocations.get().get(key);
    return position === undefined ? undefined : addressesAt(position);
  }

  #buildKeysOfHost(host: string): readonly string[] {
    const namespaces = [...this.#store.serviceHosts.get(host), ...this.#store.entryHosts.get(host)].map(
      (object) => object.metadata.namespace,
    );
    return [...new Set(namespaces)].map((namespace) => `${namespace}/${host}`).sort();
  }

  #buildKeys(): readonly string[] {
    const hosts = new Set([...this.#store.serviceHosts.buckets(), ...this.#store.entryHosts.buckets()]);
    return [...hosts].flatMap((host) => this.#keysOfHost.get(host)).sort();
  }

  #buildEndpoints(key: string): readonly Endpoint[] {
    const service = this.service(key);
    return service ? endpointsOf(service, this.#store) : [];
  }
}

export function splitKey(key: string): { readonly namespace: string; readonly host: string } {
  const slash = key.indexOf('/');
  return { namespace: key.slice(0, slash), host: key.slice(slash + 1) };
}

/** Entries of one namespace that share a host add up: ports by number, and addresses. */
function mergeEntries(first: Service, next: Service): Service {
  const numbers = new Set(first.ports.map((port) => port.number));
  return {
    ...first,
    ports: [...first.ports, ...next.ports.filter((port) => !numbers.has(port.number))],
    addresses: [...new Set([...first.addresses, ...next.addresses])],
    allocatedAddresses: [
      ...new Set([...(first.allocatedAddresses ?? []), ...(next.allocatedAddresses ?? [])]),
    ],
    subjectAltNames: [...new Set([...first.subjectAltNames, ...next.subjectAltNames])],
  };
}
