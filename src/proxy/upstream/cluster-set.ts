// All clusters of a proxy: those of the bootstrap and those of CDS, each used only when it is warm.

import { fromBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type Cluster as ClusterProto,
  ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import type { Clock, Timer } from '../net/clock.ts';
import type { OwnConnections } from '../net/own-connections.ts';
import type { Stats } from '../observe/stats.ts';
import { planCluster } from '../plan/cluster/cluster-plan.ts';
import { type LocalityPlan, planEndpoints } from '../plan/cluster/endpoints-plan.ts';
import { HandshakeReport } from '../tls/handshake-report.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import { Cluster } from './cluster.ts';
import { DnsDiscovery } from './dns-discovery.ts';
import type { Resolve } from './resolver.ts';
import { clusterTransports } from './transport/cluster-transports.ts';

export interface ClusterSetOptions {
  readonly stats: Stats;
  readonly secrets: SecretStore;
  readonly resolve: Resolve;
  readonly clock: Clock;
  readonly random: () => number;
  readonly own: OwnConnections;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  /** The names that EDS is to be asked for changed. */
  readonly endpointsWanted: (names: readonly string[]) => void;
  /** A cluster became usable. */
  readonly warmed: () => void;
}

interface Entry {
  bytes: Uint8Array;
  active: Running | undefined;
  warming: Running | undefined;
}

interface Running {
  /** As it was configured. */
  readonly source: ClusterProto;
  readonly cluster: Cluster;
  readonly dns: DnsDiscovery | undefined;
  timeout: Timer | undefined;
}

export class ClusterSet {
  readonly #options: ClusterSetOptions;
  readonly #fixed = new Map<string, Running>();
  readonly #entries = new Map<string, Entry>();
  /** The last endpoints received, by EDS name: a replaced cluster starts with them. */
  readonly #assignments = new Map<string, readonly LocalityPlan[]>();
  readonly #active = new Map<string, Running>();

  constructor(options: ClusterSetOptions) {
    this.#options = options;
    options.secrets.onChange(() => this.#promote());
  }

  get(name: string): Cluster | undefined {
    return this.#active.get(name)?.cluster;
  }

  /** Those in use, with the messages that they were made from. */
  all(): Iterable<{ readonly cluster: Cluster; readonly source: ClusterProto }> {
    return this.#active.values();
  }

  get warm(): boolean {
    for (const entry of this.#entries.values()) if (entry.warming) return false;
    return true;
  }

  addFixed(source: ClusterProto): readonly string[] {
    const problems: string[] = [];
    const running = this.#run(source, problems);
    if (!running) return problems;
    this.#fixed.set(source.name, running);
    this.#active.set(source.name, running);
    return [];
  }

  /** Takes the whole set; refused clusters keep what they were. */
  applyClusters(resources: readonly Any[]): readonly string[] {
    const refused: string[] = [];
    const seen = new Set<string>();
    for (const any of resources) {
      const source = fromBinary(ClusterSchema, any.value);
      if (seen.has(source.name)) refused.push(`${source.name}: duplicate cluster`);
      seen.add(source.name);
      if (this.#fixed.has(source.name)) continue;
      const problem = this.#applyOne(source, any.value);
      if (problem !== undefined) refused.push(`${source.name}: ${problem}`);
    }
    for (const [name, entry] of this.#entries) if (!seen.has(name)) this.#remove(name, entry);
    this.#promote();
    this.#wantEndpoints();
    return refused;
  }

  applyEndpoints(resources: readonly Any[]): readonly string[] {
    const refused: string[] = [];
    for (const any of resources) {
      const assignment = fromBinary(ClusterLoadAssignmentSchema, any.value);
      if (assignment.clusterName === '') refused.push('a ClusterLoadAssignment has no cluster_name');
      else this.#assignments.set(assignment.clusterName, planEndpoints(assignment.endpoints));
    }
    for (const entry of this.#entries.values())
      for (const running of [entry.active, entry.warming]) this.#feed(running, resources);
    this.#promote();
    return refused;
  }

  drain(): void {
    for (const running of this.#all()) stop(running, 'drain');
  }

  destroy(): void {
    for (const running of this.#all()) stop(running, 'destroy');
  }

  #applyOne(source: ClusterProto, bytes: Uint8Array): string | undefined {
    const entry = this.#entries.get(source.name);
    if (entry && Buffer.compare(entry.bytes, bytes) === 0) return undefined;
    const problems: string[] = [];
    const running = this.#run(source, problems);
    if (!running) return problems.join('; ');
    if (entry?.warming) stop(entry.warming, 'destroy');
    this.#entries.set(source.name, { bytes, active: entry?.active, warming: running });
    return undefined;
  }

  /** Undefined with problems, of the plan itself or of the certificates that it names. */
  #run(source: ClusterProto, problems: string[]): Running | undefined {
    const { stats, secrets, clock, resolve, log } = this.#options;
    const { plan, problems: found } = planCluster(source);
    problems.push(...found);
    if (problems.length > 0) return undefined;
    const report = new HandshakeReport({ scope: `cluster.${plan.name}`, stats, log, now: clock.now });
    const transports = clusterTransports(plan, { secrets, report }, problems);
    if (problems.length > 0) return undefined;
    const cluster = new Cluster(plan, { ...this.#options, transports });
    const byName = plan.discovery === 'strictDns' || plan.discovery === 'logicalDns';
    const dns = byName ? new DnsDiscovery(cluster, resolve, () => this.#promote()) : undefined;
    const running: Running = { source, cluster, dns, timeout: undefined };
    if (plan.discovery === 'eds') this.#startEds(running);
    return running;
  }

  #startEds(running: Running): void {
    const { name, waitMs } = running.cluster.plan.eds;
    const known = this.#assignments.get(name);
    if (known) {
      running.cluster.assign(known);
      return;
    }
    if (waitMs <= 0) return;
    running.timeout = this.#options.clock.after(waitMs, () => {
      if (running.cluster.initialized) return;
      running.cluster.assign([]);
      this.#promote();
    });
  }

  #feed(running: Running | undefined, resources: readonly Any[]): void {
    if (running?.cluster.plan.discovery !== 'eds' || resources.length === 0) return;
    const assignment = this.#assignments.get(running.cluster.plan.eds.name);
    if (assignment && assignment !== this.#applied.get(running.cluster)) {
      this.#applied.set(running.cluster, assignment);
      running.cluster.assign(assignment);
    }
  }

  readonly #applied = new WeakMap<Cluster, readonly LocalityPlan[]>();

  #promote(): void {
    let changed = false;
    for (const [name, entry] of this.#entries) {
      if (!entry.warming?.cluster.ready) continue;
      if (entry.active) stop(entry.active, 'drain');
      entry.warming.timeout?.close();
      entry.active = entry.warming;
      entry.warming = undefined;
      this.#active.set(name, entry.active);
      changed = true;
    }
    if (changed) this.#options.warmed();
  }

  #remove(name: string, entry: Entry): void {
    this.#entries.delete(name);
    this.#active.delete(name);
    for (const running of [entry.active, entry.warming]) if (running) stop(running, 'drain');
    this.#options.stats.drop(`cluster.${name}.`);
  }

  #wantEndpoints(): void {
    const names = new Set<string>();
    for (const entry of this.#entries.values())
      for (const running of [entry.active, entry.warming])
        if (running?.cluster.plan.discovery === 'eds') names.add(running.cluster.plan.eds.name);
    for (const name of this.#assignments.keys()) if (!names.has(name)) this.#assignments.delete(name);
    this.#options.endpointsWanted([...names]);
  }

  *#all(): Iterable<Running> {
    yield* this.#fixed.values();
    for (const entry of this.#entries.values()) {
      if (entry.active) yield entry.active;
      if (entry.warming) yield entry.warming;
    }
  }
}

function stop(running: Running, how: 'drain' | 'destroy'): void {
  running.dns?.stop();
  running.timeout?.close();
  if (how === 'drain') running.cluster.drain();
  else running.cluster.destroy();
}
