// What a RouteConfiguration says, as plain values: virtual hosts with their domains, and their routes in order.
import type { FilterConfigs } from './filter-config.ts';
import type { HashPolicies } from './hash-policy.ts';
import type { HeaderMutations } from './header-mutation.ts';
import type { RedirectPlan } from './redirect.ts';
import type { RetryPlan } from './retry.ts';
import type { HostRewrite, PathRewrite } from './rewrite.ts';
import type { RouteMatchPlan } from './route-match.ts';
import type { TimeoutPlan } from './timeout.ts';

export interface RoutePlan {
  readonly name: string;
  readonly ignorePort: boolean;
  /** A path ends before its `;`. */
  readonly ignorePathParameters: boolean;
  readonly virtualHosts: readonly VirtualHostPlan[];
}

export interface VirtualHostPlan {
  readonly name: string;
  readonly domains: readonly string[];
  readonly requireTls: 'none' | 'external' | 'all';
  /** The first one that matches counts. */
  readonly routes: readonly RouteRule[];
}

export interface RouteRule {
  readonly match: RouteMatchPlan;
  readonly action: ActionPlan;
}

export type ActionPlan =
  | ForwardPlan
  | { readonly kind: 'redirect'; readonly route: RouteEntry; readonly redirect: RedirectPlan }
  /** `body` as text. */
  | {
      readonly kind: 'directResponse';
      readonly route: RouteEntry;
      readonly status: number;
      readonly body: string;
    }
  | { readonly kind: 'nonForwarding'; readonly route: RouteEntry };

export interface ForwardPlan {
  readonly kind: 'forward';
  readonly route: ForwardRoute;
  readonly target: TargetPlan;
}

export type TargetPlan =
  | { readonly kind: 'cluster'; readonly cluster: string }
  /** A header of the request names the cluster. */
  | { readonly kind: 'clusterHeader'; readonly header: string }
  | {
      readonly kind: 'weighted';
      readonly total: number;
      /** That the draw may come from; empty draws always. */
      readonly header: string;
      readonly choices: readonly WeightedChoice[];
    };

export interface WeightedChoice {
  /** Draws below this and not below the previous choice's end fall here. */
  readonly end: number;
  /** Names the cluster when the entry's is empty. */
  readonly clusterHeader: string;
  readonly entry: WeightedEntry;
  /** Its own over those of the route. */
  readonly filters: FilterConfigs;
}

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

/** What every route has, whatever its action. */
export interface RouteEntry {
  readonly name: string;
  /**
   * Where it stands: virtual host name, index of the route, and the control plane's own note of where it came
   * from.
   */
  readonly virtualHost: string;
  readonly index: number;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly decorator: string | undefined;
  readonly statPrefix: string;
  /** The most specific of route, virtual host and route configuration for each filter. */
  readonly filters: FilterConfigs;
  /** In the order in which they run. */
  readonly requestHeaders: readonly HeaderMutations[];
  readonly responseHeaders: readonly HeaderMutations[];
}

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
