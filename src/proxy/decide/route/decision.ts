// What a route decision is made from and what it says. Decisions are plain values: the runtime carries them
// out, `explain` prints them.
import type { FilterConfigs } from './filter-config.ts';
import type { HashPolicies } from './hash-policy.ts';
import type { HeaderMutations } from './header-mutation.ts';
import type { RetryPlan } from './retry.ts';
import type { HostRewrite, PathRewrite } from './rewrite.ts';
import type { TimeoutPlan } from './timeout.ts';

/** A cluster picked by weight, with what its own entry adds to the route. */
export interface WeightedEntry {
  readonly cluster: string;
  readonly weight: number;
  readonly hostRewrite: string | undefined;
  /** Its mutations run before the route's. */
  readonly requestHeaders: HeaderMutations;
  readonly responseHeaders: HeaderMutations;
  /** Of the route and of itself; undefined when neither asks for any. */
  readonly metadataMatch: Readonly<Record<string, unknown>> | undefined;
}

export interface MirrorPlan {
  readonly cluster: string;
  /** Header that names the cluster when `cluster` is empty. */
  readonly clusterHeader: string;
  /** Chance in [0, 1]. */
  readonly fraction: number;
  readonly appendShadowSuffix: boolean;
}

export interface UpgradePlan {
  /** Lower case: `websocket`, `connect`. */
  readonly type: string;
  readonly enabled: boolean;
  /** CONNECT is ended here and its payload forwarded as TCP. */
  readonly terminateConnect: boolean;
}

/** What every matched route has, whatever its action. */
export interface RouteEntry {
  readonly name: string;
  readonly virtualHost: string;
  /**
   * Where it stands: virtual host name, index of the route, and the control plane's own note of where it came
   * from.
   */
  readonly index: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly decorator: string | undefined;
  readonly statPrefix: string;
  /** By filter name, most specific first (weighted cluster, route, virtual host, route configuration). */
  readonly filters: FilterConfigs;
  /** In the order in which they run. */
  readonly requestHeaders: readonly HeaderMutations[];
  readonly responseHeaders: readonly HeaderMutations[];
}

/** The part of a forward decision that does not depend on the request. */
export interface ForwardRoute extends RouteEntry {
  /** Status when the cluster does not exist. */
  readonly clusterNotFoundStatus: number;
  readonly pathRewrite: PathRewrite;
  readonly hostRewrite: HostRewrite;
  readonly appendForwardedHost: boolean;
  readonly timeouts: TimeoutPlan;
  readonly retry: RetryPlan | undefined;
  readonly hash: HashPolicies | undefined;
  readonly mirrors: readonly MirrorPlan[];
  readonly upgrades: readonly UpgradePlan[];
  readonly priority: 'default' | 'high';
  readonly includeAttemptCount: boolean;
  readonly includeAttemptCountInResponse: boolean;
  readonly requestBufferLimit: number | undefined;
  /** Endpoint metadata wanted under `envoy.lb`. */
  readonly metadataMatch: Readonly<Record<string, unknown>> | undefined;
}

export interface ForwardDecision {
  readonly kind: 'forward';
  readonly route: ForwardRoute;
  /** Empty when `cluster_header` names a header that the request lacks. */
  readonly cluster: string;
  readonly weighted: WeightedEntry | undefined;
  readonly filters: FilterConfigs;
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
  readonly body: Uint8Array;
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
