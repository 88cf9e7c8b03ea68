// HTTPRoute: one rule of a VirtualService.
import { isAuthority } from '../../rules/http.ts';
import { checkWeights } from '../../rules/weights.ts';
import {
  deprecated,
  duration,
  field,
  type Infer,
  int32,
  list,
  message,
  type RuleContext,
  required,
  string,
  uint32,
} from '../../schema/index.ts';
import { Destination, Percent } from '../shared.ts';
import { CorsPolicy } from './cors.ts';
import { HTTPFaultInjection } from './fault.ts';
import { Headers } from './headers.ts';
import { HTTPDirectResponse, HTTPRedirect, HTTPRetry, HTTPRewrite } from './http-actions.ts';
import { HTTPMatchRequest } from './http-match.ts';

export const HTTPRouteDestination = message('HTTPRouteDestination', {
  destination: required(Destination),
  weight: field(int32, 'WeightedCluster.ClusterWeight.weight'),
  headers: Headers,
});
export type HTTPRouteDestination = Infer<typeof HTTPRouteDestination>;

export const HTTPMirrorPolicy = message('HTTPMirrorPolicy', {
  destination: required(Destination),
  percentage: Percent,
});
export type HTTPMirrorPolicy = Infer<typeof HTTPMirrorPolicy>;

export const Delegate = message('Delegate', {
  name: field(string, 'the VirtualService whose rules stand here'),
  namespace: field(string, 'the VirtualService whose rules stand here'),
});
export type Delegate = Infer<typeof Delegate>;

export const HTTPRoute = message(
  'HTTPRoute',
  {
    name: field(string, 'Route.name'),
    match: list(HTTPMatchRequest),
    route: list(HTTPRouteDestination),
    redirect: HTTPRedirect,
    directResponse: HTTPDirectResponse,
    delegate: Delegate,
    rewrite: HTTPRewrite,
    timeout: field(duration, 'RouteAction.timeout, RouteAction.max_grpc_timeout'),
    retries: HTTPRetry,
    fault: HTTPFaultInjection,
    mirror: Destination,
    mirrors: list(HTTPMirrorPolicy),
    mirrorPercent: deprecated(uint32, 'mirrorPercentage: {value: N}', 'RequestMirrorPolicy.runtime_fraction'),
    mirrorPercentage: Percent,
    corsPolicy: CorsPolicy,
    headers: Headers,
  },
  {
    rules: [
      (route, context) => {
        checkMirrors(route, context);
        checkRedirectPrefix(route, context);
        checkAuthority(route, context);
        checkWeights(route.route, ['route'], context);
      },
    ],
  },
);
export type HTTPRoute = Infer<typeof HTTPRoute>;

/**
 * Whether a rule has exactly one thing to do. What is allowed depends on whether the VirtualService may
 * itself be delegated to.
 */
export function checkAction(route: HTTPRoute, isDelegate: boolean, context: RuleContext): void {
  const hasRoute = (route.route ?? []).length > 0;
  if (route.delegate && !isDelegate) {
    if (hasRoute) context.report('MT0126', ['route'], '{} cannot stand beside delegate');
    if (route.redirect) context.report('MT0126', ['redirect'], '{} cannot stand beside delegate');
    return;
  }
  if (route.delegate)
    context.report(
      'MT0126',
      ['delegate'],
      '{}: a VirtualService that is delegated to (it has no hosts) cannot delegate again',
    );
  for (const [action, others] of Object.entries({
    redirect: ['fault', 'rewrite'],
    directResponse: ['fault', 'rewrite', 'redirect'],
  } as const)) {
    if (!route[action as 'redirect' | 'directResponse']) continue;
    if (hasRoute) context.report('MT0108', [action], '{} cannot stand beside route');
    for (const other of others)
      if (route[other]) context.report('MT0108', [other], `{} cannot stand beside ${action}`);
  }
  if (!hasRoute && !route.redirect && !route.directResponse) {
    const what = route.match ? '{} has a match and nothing to do' : '{} has nothing to do';
    context.report(
      'MT0107',
      [],
      `${what}: give it route, redirect, directResponse${isDelegate ? '' : ' or delegate'}`,
    );
  }
}

interface MirrorFields {
  readonly mirror?: unknown;
  readonly mirrors?: readonly HTTPMirrorPolicy[];
  readonly mirrorPercent?: number;
  readonly mirrorPercentage?: Percent;
}

function checkMirrors(
  { mirror, mirrors = [], mirrorPercent = 0, mirrorPercentage }: MirrorFields,
  context: RuleContext,
): void {
  if (mirror && mirrors.length > 0) context.report('MT0108', ['mirrors'], '{} cannot stand beside mirror');
  if (mirrorPercent > 100)
    context.report('MT0115', ['mirrorPercent'], `{} must be at most 100, not ${mirrorPercent}`);
  checkPercent(mirrorPercentage, context.at(['mirrorPercentage']));
  mirrors.forEach((policy, i) => {
    checkPercent(policy.percentage, context.at(['mirrors', i, 'percentage']));
  });
}

function checkPercent(percent: Percent | undefined, context: RuleContext): void {
  const value = percent?.value ?? 0;
  if (value < 0 || value > 100) context.report('MT0115', ['value'], `{} must be from 0 to 100, not ${value}`);
}

function checkRedirectPrefix(
  route: { redirect?: HTTPRedirect; match?: readonly HTTPMatchRequest[] },
  context: RuleContext,
): void {
  if (!route.redirect?.prefixRewrite) return;
  const wrong = route.match?.findIndex(({ uri }) => uri && uri.prefix === undefined) ?? -1;
  if (wrong !== -1)
    context.report(
      'MT0123',
      ['match', wrong, 'uri'],
      '{} must be a prefix, since redirect.prefixRewrite replaces the prefix that matched',
    );
}

/** The host towards the upstream may be set in one place. */
function checkAuthority(
  route: { rewrite?: HTTPRewrite; headers?: Headers; route?: readonly HTTPRouteDestination[] },
  context: RuleContext,
): void {
  const ofRoute = [
    ...(route.rewrite?.authority ? ['rewrite.authority'] : []),
    ...authorityHeaders(route.headers),
  ];
  const report = (places: readonly string[], path: readonly (string | number)[]): void => {
    if (places.length > 1)
      context.report('MT0108', path, `the authority (Host) is set more than once: ${places.join(', ')}`);
  };
  report(ofRoute, []);
  route.route?.forEach((destination, i) => {
    report(authorityHeaders(destination.headers), ['route', i]);
  });
}

function authorityHeaders(headers: Headers | undefined): string[] {
  const { set = {}, add = {} } = headers?.request ?? {};
  const names = (map: Readonly<Record<string, string>>, place: string): string[] =>
    Object.keys(map)
      .filter(isAuthority)
      .map((name) => `headers.request.${place}.${name}`);
  return [...names(set, 'set'), ...names(add, 'add')];
}
