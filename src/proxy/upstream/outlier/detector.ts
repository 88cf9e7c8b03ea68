// Passive health checking as a state machine: outcomes and ticks in, ejections out. Time and chance come as
// arguments.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier
import { type Millis, unreachable } from '../../../base/index.ts';
import type { EjectionReason, OutlierPlan } from '../../plan/cluster/outlier-plan.ts';
import { outliersByFailures, outliersBySuccessRate, type Tally } from './success-rate.ts';

export type OutlierEvent =
  | { readonly kind: 'response'; readonly status: number }
  /** The connection could not be made, or this side gave up waiting. */
  | { readonly kind: 'localFailure' }
  | { readonly kind: 'localTimeout' }
  | { readonly kind: 'localSuccess' }
  /** The host broke off the exchange. */
  | { readonly kind: 'reset' };

export type OutlierVerdict =
  | { readonly kind: 'eject'; readonly host: string; readonly reason: EjectionReason }
  | { readonly kind: 'uneject'; readonly host: string }
  /**
   * Detected, but the policy does not act on it: by chance of `enforcing_*`, or because too many are ejected.
   */
  | {
      readonly kind: 'spared';
      readonly host: string;
      readonly reason: EjectionReason;
      readonly because: 'notEnforced' | 'maxEjectionPercent';
    };

interface HostState {
  consecutive5xx: number;
  gatewayFailures: number;
  localFailures: number;
  ejectedAt: Millis | undefined;
  jitter: Millis;
  /** Ejections so far, less the quiet intervals since: multiplies the base time. */
  backoff: number;
  external: Tally;
  local: Tally;
}

export class OutlierDetector {
  readonly #plan: OutlierPlan;
  readonly #random: () => number;
  readonly #hosts = new Map<string, HostState>();
  #ejected = 0;

  constructor(plan: OutlierPlan, random: () => number) {
    this.#plan = plan;
    this.#random = random;
  }

  /** The members of the cluster. Those that stay keep their state. */
  setHosts(addresses: Iterable<string>): void {
    const members = new Set(addresses);
    for (const [address, state] of this.#hosts) {
      if (members.has(address)) continue;
      if (state.ejectedAt !== undefined) this.#ejected--;
      this.#hosts.delete(address);
    }
    for (const address of members) if (!this.#hosts.has(address)) this.#hosts.set(address, newState());
  }

  isEjected(address: string): boolean {
    return this.#hosts.get(address)?.ejectedAt !== undefined;
  }

  get ejectedCount(): number {
    return this.#ejected;
  }

  /** At most one verdict: on the host that the event is about. */
  report(address: string, event: OutlierEvent, now: Millis): OutlierVerdict | undefined {
    const state = this.#hosts.get(address);
    const reason = state && this.#detect(state, event);
    return reason && this.#tryEject(address, state, reason, now);
  }

  /** To be called every `interval`: brings hosts back, and compares success rates over the interval. */
  tick(now: Millis): readonly OutlierVerdict[] {
    const verdicts = [...this.#hosts].flatMap(([address, state]) =>
      this.#unejects(state, now) ? [{ kind: 'uneject', host: address } as const] : [],
    );
    return [...verdicts, ...this.#compareRates(now)];
  }

  #detect(state: HostState, event: OutlierEvent): EjectionReason | undefined {
    switch (event.kind) {
      case 'response':
        return this.#external(state, event.status);
      case 'reset':
        return this.#external(state, 500);
      case 'localFailure':
        return this.#plan.splitLocalOrigin ? this.#local(state, false) : this.#external(state, 503);
      case 'localTimeout':
        return this.#plan.splitLocalOrigin ? this.#local(state, false) : this.#external(state, 504);
      case 'localSuccess':
        return this.#plan.splitLocalOrigin ? this.#local(state, true) : undefined;
      default:
        return unreachable(event);
    }
  }

  // A counter starts anew when it reaches its limit, whether or not the host is ejected then.
  #external(state: HostState, status: number): EjectionReason | undefined {
    const failed = status >= 500 && status < 600;
    count(state.external, failed);
    const gateway = status >= 502 && status <= 504;
    state.gatewayFailures = gateway ? state.gatewayFailures + 1 : 0;
    state.consecutive5xx = failed ? state.consecutive5xx + 1 : 0;
    const byGateway = gateway && state.gatewayFailures === this.#plan.consecutiveGatewayFailure;
    const by5xx = failed && state.consecutive5xx === this.#plan.consecutive5xx;
    if (byGateway) state.gatewayFailures = 0;
    if (by5xx) state.consecutive5xx = 0;
    // Both at once: the one that is enforced.
    if (byGateway && (!by5xx || this.#plan.enforcing.consecutiveGatewayFailure > 0))
      return 'consecutiveGatewayFailure';
    return by5xx ? 'consecutive5xx' : undefined;
  }

  #local(state: HostState, success: boolean): EjectionReason | undefined {
    count(state.local, !success);
    state.localFailures = success ? 0 : state.localFailures + 1;
    if (success || state.localFailures !== this.#plan.consecutiveLocalOriginFailure) return undefined;
    state.localFailures = 0;
    return 'consecutiveLocalOriginFailure';
  }

  #tryEject(host: string, state: HostState, reason: EjectionReason, now: Millis): OutlierVerdict | undefined {
    if (state.ejectedAt !== undefined) return undefined;
    const plan = this.#plan;
    const percent = (100 * (this.#ejected + 1)) / this.#hosts.size;
    const room = percent <= plan.maxEjectionPercent || (plan.alwaysEjectOneHost && this.#ejected === 0);
    if (!room) return { kind: 'spared', host, reason, because: 'maxEjectionPercent' };
    if (this.#random() * 100 >= plan.enforcing[reason])
      return { kind: 'spared', host, reason, because: 'notEnforced' };
    this.#ejected++;
    state.ejectedAt = now;
    state.jitter = Math.floor(this.#random() * plan.maxEjectionTimeJitter);
    if (state.backoff * plan.baseEjectionTime < plan.maxEjectionTime + plan.baseEjectionTime) state.backoff++;
    return { kind: 'eject', host, reason };
  }

  #unejects(state: HostState, now: Millis): boolean {
    if (state.ejectedAt === undefined) {
      state.backoff = Math.max(0, state.backoff - 1);
      return false;
    }
    const time =
      Math.min(this.#plan.baseEjectionTime * state.backoff, this.#plan.maxEjectionTime) + state.jitter;
    if (now - state.ejectedAt < time) return false;
    this.#ejected--;
    state.ejectedAt = undefined;
    state.consecutive5xx = 0;
    state.gatewayFailures = 0;
    state.localFailures = 0;
    return true;
  }

  #compareRates(now: Millis): readonly OutlierVerdict[] {
    const active = [...this.#hosts].filter(([, state]) => state.ejectedAt === undefined);
    const external = new Map(active.map(([address, state]) => [address, state.external]));
    const local = new Map(active.map(([address, state]) => [address, state.local]));
    for (const state of this.#hosts.values()) {
      state.external = { total: 0, failed: 0 };
      state.local = { total: 0, failed: 0 };
    }
    const found: (readonly [string, EjectionReason])[] = [
      ...outliersBySuccessRate(external, this.#plan.successRate).map(
        (host) => [host, 'successRate'] as const,
      ),
      ...outliersByFailures(external, this.#plan.failurePercentage).map(
        (host) => [host, 'failurePercentage'] as const,
      ),
      ...outliersBySuccessRate(local, this.#plan.successRate).map(
        (host) => [host, 'successRateLocalOrigin'] as const,
      ),
      ...outliersByFailures(local, this.#plan.failurePercentage).map(
        (host) => [host, 'failurePercentageLocalOrigin'] as const,
      ),
    ];
    return found.flatMap(([host, reason]) => {
      const state = this.#hosts.get(host);
      const verdict = state && this.#tryEject(host, state, reason, now);
      return verdict ? [verdict] : [];
    });
  }
}

function count(tally: Tally, failed: boolean): void {
  tally.total++;
  if (failed) tally.failed++;
}

function newState(): HostState {
  return {
    consecutive5xx: 0,
    gatewayFailures: 0,
    localFailures: 0,
    ejectedAt: undefined,
    jitter: 0,
    backoff: 0,
    external: { total: 0, failed: 0 },
    local: { total: 0, failed: 0 },
  };
}
