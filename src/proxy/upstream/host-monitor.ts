// Feeds outlier detection with what happens on a cluster's hosts and carries out its verdicts.

import { unreachable } from '../../base/index.ts';
import type { Clock, Timer } from '../net/clock.ts';
import type { Stat, Stats } from '../observe/stats.ts';
import type { OutlierPlan } from '../plan/cluster/outlier-plan.ts';
import type { Host } from './host.ts';
import { OutlierDetector, type OutlierEvent, type OutlierVerdict } from './outlier/index.ts';

export interface MonitorContext {
  readonly clock: Clock;
  readonly random: () => number;
  /** The ejection of a host changed. */
  readonly changed: () => void;
  readonly hosts: () => ReadonlyMap<string, Host>;
}

export class HostMonitor {
  readonly #detector: OutlierDetector;
  readonly #context: MonitorContext;
  readonly #timer: Timer;
  readonly #active: Stat;
  readonly #total: Stat;

  constructor(plan: OutlierPlan, cluster: string, stats: Stats, context: MonitorContext) {
    this.#detector = new OutlierDetector(plan, context.random);
    this.#context = context;
    this.#active = stats.gauge(`cluster.${cluster}.outlier_detection.ejections_active`);
    this.#total = stats.counter(`cluster.${cluster}.outlier_detection.ejections_enforced_total`);
    this.#timer = context.clock.after(Math.max(1, plan.interval), () => {
      this.#timer.refresh();
      this.#carryOut(this.#detector.tick(context.clock.now()));
    });
  }

  setHosts(addresses: Iterable<string>): void {
    this.#detector.setHosts(addresses);
  }

  report(host: Host, event: OutlierEvent): void {
    const verdict = this.#detector.report(host.address, event, this.#context.clock.now());
    if (verdict) this.#carryOut([verdict]);
  }

  stop(): void {
    this.#timer.close();
  }

  #carryOut(verdicts: readonly OutlierVerdict[]): void {
    let changed = false;
    for (const verdict of verdicts) {
      const host = this.#context.hosts().get(verdict.host);
      switch (verdict.kind) {
        case 'eject':
          this.#active.value++;
          this.#total.value++;
          if (host) host.ejected = true;
          changed = true;
          break;
        case 'uneject':
          this.#active.value--;
          if (host) host.ejected = false;
          changed = true;
          break;
        case 'spared':
          break;
        default:
          unreachable(verdict);
      }
    }
    if (changed) this.#context.changed();
  }
}
