// What a route decision is made from and what it says. Decisions are plain values that hold the plan of their
// route: the runtime carries them out, `explain` prints them.
import type { FilterConfigs } from '../../plan/route/filter-config.ts';
import type { ForwardRoute, MirrorPlan, RouteEntry, WeightedEntry } from '../../plan/route/route-plan.ts';

/** What the choice may depend on besides the request. */
export interface RouteContext {
  /** In [0, 1). Drawn at most once for weighted clusters and once for each runtime fraction. */
  readonly random: () => number;
  readonly tls?: { readonly presented: boolean; readonly validated: boolean };
  /** Dynamic metadata by filter namespace. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** Whether a copy of the request goes to a mirror's cluster. */
export interface MirrorDecision {
  readonly mirror: MirrorPlan;
  readonly drawn: boolean;
}

export interface ForwardDecision {
  readonly kind: 'forward';
  readonly route: ForwardRoute;
  /** Empty when `cluster_header` names a header that the request lacks. */
  readonly cluster: string;
  readonly weighted: WeightedEntry | undefined;
  readonly filters: FilterConfigs;
  readonly mirrors: readonly MirrorDecision[];
}

export interface RedirectDecision {
  readonly kind: 'redirect';
  readonly route: RouteEntry | undefined;
  readonly status: number;
  readonly location: string;
}

export interface DirectResponseDecision {
  readonly kind: 'directResponse';
  readonly route: RouteEntry;
  readonly status: number;
  readonly body: string;
}

export interface NonForwardingDecision {
  readonly kind: 'nonForwarding';
  readonly route: RouteEntry;
}

/** No virtual host took the authority, or none of its routes the request. */
export interface NotFoundDecision {
  readonly kind: 'notFound';
  readonly virtualHost: string | undefined;
}

export type RouteDecision =
  | ForwardDecision
  | RedirectDecision
  | DirectResponseDecision
  | NonForwardingDecision
  | NotFoundDecision;

/** Why one route did or did not take a request, for people. */
export interface RouteTrial {
  readonly virtualHost: string;
  readonly index: number;
  readonly name: string;
  readonly matched: boolean;
  /** The first condition that failed, in words; what matched otherwise. */
  readonly reason: string;
}

export interface Explanation {
  readonly virtualHost: string | undefined;
  /** The domain that took the authority, as configured. */
  readonly domain: string | undefined;
  readonly trials: readonly RouteTrial[];
  readonly decision: RouteDecision;
}
