// The backends of a rule of an HTTPRoute or GRPCRoute.
import type {
  GatewayGRPCRouteFilter,
  GatewayHTTPRouteFilter,
  HTTPRoute,
  HTTPRouteDestination,
} from '../../../config/index.ts';
import type { BackendReference, ResolveBackend } from './backends.ts';
import { headersOf, unknownFilter } from './filters.ts';
import type { Attempt, Problem } from './problem.ts';

interface HttpBackend extends BackendReference {
  readonly weight?: number;
  readonly filters?: readonly (GatewayHTTPRouteFilter | GatewayGRPCRouteFilter)[];
}

interface RuleStart {
  /** The rule without targets. */
  readonly route: HTTPRoute;
  /** Name and match alone. */
  readonly name: HTTPRoute;
  readonly mirrors: Attempt<HTTPRoute['mirrors']>;
}

/**
 * The rule with its targets. Without any of positive weight it answers 500; so does the share of one that
 * leads nowhere.
 */
export function weightedTargets(
  { route, name, mirrors }: RuleStart,
  references: readonly HttpBackend[],
  resolve: ResolveBackend,
): Attempt<HTTPRoute> {
  const wanted = references.filter(({ weight = 1 }) => weight > 0);
  if (wanted.length === 0)
    return {
      value: { ...name, headers: route.headers, directResponse: { status: 500 } },
      problem: mirrors.problem,
    };
  const targets: HTTPRouteDestination[] = [];
  let problem: Problem | undefined;
  for (const { filters = [], weight = 1, ...reference } of wanted) {
    const unknown = unknownFilter(filters);
    if (unknown) return refused(name, unknown);
    const backend = resolve(reference);
    problem = backend.problem ?? problem;
    targets.push({ destination: backend.value, weight, headers: headersOf(filters) });
  }
  return { value: { ...route, route: targets }, problem: problem ?? mirrors.problem };
}

/** Requests that a rule would have taken get 500 when nobody knows what to do with them. */
export function refused({ name, match }: HTTPRoute, problem: Problem): Attempt<HTTPRoute> {
  return { value: { name, match, directResponse: { status: 500 } }, problem };
}
