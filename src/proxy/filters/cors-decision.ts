// The CORS filter's decisions.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/cors_filter
import type { CorsPolicy } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import type { RequestView } from '../codec/http/request-view.ts';
import { configuredText } from '../codec/wire-text.ts';
import { drawn } from '../decide/route/fraction.ts';
import { textMatcher } from '../decide/route/string-match.ts';
import { runtimeFraction } from '../plan/route/fraction.ts';
import { planStringMatch, type StringMatchPlan } from '../plan/route/string-match.ts';

export interface CorsPlan {
  readonly origins: readonly StringMatchPlan[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAge: string;
  readonly allowCredentials: boolean;
  readonly allowPrivateNetwork: boolean;
  readonly enabledFraction: number;
  readonly forwardUnmatchedPreflights: boolean;
}

type Headers = readonly (readonly [name: string, value: string])[];

export type CorsOutcome =
  /** Not a CORS request, or one that the policy leaves alone. */
  | { readonly kind: 'pass' }
  /** Answer it here, status 200, no body. */
  | { readonly kind: 'preflight'; readonly headers: Headers }
  /** Forward, and set these on the response. */
  | { readonly kind: 'annotate'; readonly headers: Headers };

type CorsFields = Omit<CorsPolicy, '$typeName' | '$unknown' | 'shadowEnabled'>;

export function planCors(config: CorsFields, problems: string[]): CorsPlan {
  return {
    origins: config.allowOriginStringMatch.map((matcher) => planStringMatch(matcher, problems)),
    allowMethods: configuredText(config.allowMethods, 'allow_methods', problems),
    allowHeaders: configuredText(config.allowHeaders, 'allow_headers', problems),
    exposeHeaders: configuredText(config.exposeHeaders, 'expose_headers', problems),
    maxAge: configuredText(config.maxAge, 'max_age', problems),
    allowCredentials: config.allowCredentials ?? false,
    allowPrivateNetwork: config.allowPrivateNetworkAccess ?? false,
    enabledFraction: runtimeFraction(config.filterEnabled),
    forwardUnmatchedPreflights: config.forwardNotMatchingPreflights ?? true,
  };
}

const pass: CorsOutcome = { kind: 'pass' };

/** The requested method and headers of a preflight are not checked, as in Envoy; the browser does that. */
export function corsDecision(request: RequestView, plan: CorsPlan, random: () => number): CorsOutcome {
  const origin = request.get('origin');
  if (!origin || !drawn(plan.enabledFraction, random)) return pass;
  const allowed = plan.origins.some((wanted) => fits(wanted, origin));
  if (request.method === 'OPTIONS' && request.get('access-control-request-method')) {
    if (!allowed && plan.forwardUnmatchedPreflights) return pass;
    return { kind: 'preflight', headers: preflightHeaders(request, plan, allowed ? origin : undefined) };
  }
  return allowed ? { kind: 'annotate', headers: responseHeaders(plan, origin) } : pass;
}

/** A matcher that takes a lone star takes every origin. */
function fits(wanted: StringMatchPlan, origin: string): boolean {
  const matcher = textMatcher(wanted);
  return matcher.test('*') || matcher.test(origin);
}

function preflightHeaders(request: RequestView, plan: CorsPlan, origin: string | undefined): Headers {
  const privateNetwork =
    plan.allowPrivateNetwork && request.get('access-control-request-private-network') === 'true';
  return [
    ...present([
      ['access-control-allow-origin', origin ?? ''],
      ['access-control-allow-credentials', plan.allowCredentials ? 'true' : ''],
    ]),
    ...allowed('methods', plan.allowMethods, request.get('access-control-request-method')),
    ...allowed('headers', plan.allowHeaders, request.get('access-control-request-headers')),
    ...present([
      ['access-control-max-age', plan.maxAge],
      ['access-control-allow-private-network', privateNetwork ? 'true' : ''],
      // The filter sees its own reply on the way back and adds what every allowed response gets.
      ['access-control-expose-headers', origin === undefined ? '' : plan.exposeHeaders],
    ]),
  ];
}

/** A lone star repeats what was asked for, even when that was nothing. */
function allowed(what: 'methods' | 'headers', configured: string, requested: string | undefined): Headers {
  if (configured === '') return [];
  return [[`access-control-allow-${what}`, configured === '*' ? (requested ?? '') : configured]];
}

function responseHeaders(plan: CorsPlan, origin: string): Headers {
  return present([
    ['access-control-allow-origin', origin],
    ['access-control-allow-credentials', plan.allowCredentials ? 'true' : ''],
    ['access-control-expose-headers', plan.exposeHeaders],
  ]);
}

function present(headers: Headers): Headers {
  return headers.filter(([, value]) => value !== '');
}
