// Every resource in force, by kind, as inputs of the memo engine, with the indexes that lookups need.
import { deepEqual, type MemoEngine, Table, type TableIndex } from '../base/index.ts';
import type { AnyConfig } from '../config/index.ts';
import { kubernetesHost } from './hostname.ts';
import { hostsOfEntry } from './service-entries.ts';

export type Kind = AnyConfig['kind'];
export type ObjectOf<K extends Kind> = Extract<AnyConfig, { kind: K }>;

export interface ConfigStoreOptions {
  /** DNS suffix of the cluster, `cluster.local`. */
  readonly domain: string;
}

export class ConfigStore {
  readonly domain: string;
  readonly serviceHosts: TableIndex<ObjectOf<'Service'>>;
  readonly servicesWithSelector: TableIndex<ObjectOf<'Service'>>;
  readonly entryHosts: TableIndex<ObjectOf<'ServiceEntry'>>;
  readonly entriesWithSelector: TableIndex<ObjectOf<'ServiceEntry'>>;
  readonly slicesOfService: TableIndex<ObjectOf<'EndpointSlice'>>;
  readonly slicesOfAddress: TableIndex<ObjectOf<'EndpointSlice'>>;
  readonly podsOfNamespace: TableIndex<ObjectOf<'Pod'>>;
  readonly podsOfAddress: TableIndex<ObjectOf<'Pod'>>;
  readonly workloadsOfNamespace: TableIndex<ObjectOf<'WorkloadEntry'>>;
  readonly workloadsOfAddress: TableIndex<ObjectOf<'WorkloadEntry'>>;
  readonly aliasesOfHost: TableIndex<ObjectOf<'Service'>>;
  readonly entriesOfAddress: TableIndex<ObjectOf<'ServiceEntry'>>;
  readonly #engine: MemoEngine;
  readonly #tables = new Map<Kind, Table<AnyConfig>>();

  constructor(engine: MemoEngine, options: ConfigStoreOptions) {
    this.#engine = engine;
    this.domain = options.domain;
    const host = (service: ObjectOf<'Service'>): string =>
      kubernetesHost(service.metadata.name, service.metadata.namespace, this.domain);
    this.serviceHosts = this.table('Service').index((service) => [host(service)]);
    this.aliasesOfHost = this.table('Service').index((service) =>
      service.spec.type === 'ExternalName' && service.spec.externalName
        ? [service.spec.externalName.toLowerCase()]
        : [],
    );
    this.servicesWithSelector = this.table('Service').index((service) =>
      Object.keys(service.spec.selector ?? {}).length > 0 ? [service.metadata.namespace] : [],
    );
    this.entryHosts = this.table('ServiceEntry').index(hostsOfEntry);
    this.entriesWithSelector = this.table('ServiceEntry').index((entry) =>
      entry.spec.workloadSelector ? [entry.metadata.namespace] : [],
    );
    this.entriesOfAddress = this.table('ServiceEntry').index((entry) =>
      (entry.spec.endpoints ?? []).map((endpoint) => endpoint.address ?? ''),
    );
    this.slicesOfService = this.table('EndpointSlice').index((slice) => [
      `${slice.metadata.namespace}/${slice.metadata.labels['kubernetes.io/service-name'] ?? ''}`,
    ]);
    this.slicesOfAddress = this.table('EndpointSlice').index((slice) =>
      (slice.spec.endpoints ?? []).flatMap((e) => e.addresses ?? []),
    );
    this.podsOfNamespace = this.table('Pod').index((pod) => [pod.metadata.namespace]);
    this.podsOfAddress = this.table('Pod').index((pod) =>
      pod.spec.status?.podIP ? [pod.spec.status.podIP] : [],
    );
    this.workloadsOfNamespace = this.table('WorkloadEntry').index((entry) => [entry.metadata.namespace]);
    this.workloadsOfAddress = this.table('WorkloadEntry').index((entry) => [entry.spec.address ?? '']);
  }

  table<K extends Kind>(kind: K): Table<ObjectOf<K>> {
    let table = this.#tables.get(kind);
    if (!table) {
      table = new Table<AnyConfig>(this.#engine, sameMeaning);
      this.#tables.set(kind, table);
    }
    return table as unknown as Table<ObjectOf<K>>;
  }

  /** Returns whether anything that can have an effect changed. */
  put(object: AnyConfig): boolean {
    return this.table(object.kind).set(keyOf(object), object as never);
  }

  remove(kind: Kind, namespace: string, name: string): boolean {
    return this.table(kind).delete(`${namespace}/${name}`);
  }
}

export function keyOf(object: {
  readonly metadata: { readonly namespace: string; readonly name: string };
}): string {
  return `${object.metadata.namespace}/${object.metadata.name}`;
}

/**
 * Whether two versions of an object mean the same to the mesh: what only people and storage read is left out.
 */
function sameMeaning(a: AnyConfig, b: AnyConfig): boolean {
  return (
    deepEqual(a.spec, b.spec) &&
    a.metadata.creationTimestamp === b.metadata.creationTimestamp &&
    deepEqual(a.metadata.labels, b.metadata.labels) &&
    deepEqual(a.metadata.annotations, b.metadata.annotations)
  );
}
