// The condition of a route as a plan.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routematch
import type { RouteMatch } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { runtimeFraction } from './fraction.ts';
import { type HeaderMatchPlan, planHeaderMatch } from './header-match.ts';
import { type MetadataMatchPlan, planMetadataMatch } from './metadata-match.ts';
import { planQueryMatch, type QueryMatchPlan } from './query-match.ts';
import { planPattern } from './regex.ts';

/** `none`: no path at all, which stands for what could not be planned. */
export interface PathMatchPlan {
  readonly kind: 'prefix' | 'path' | 'regex' | 'separatedPrefix' | 'connect' | 'none';
  readonly text: string;
  readonly ignoreCase: boolean;
}

/** Of the client's certificate; undefined does not matter. */
export interface TlsMatchPlan {
  readonly presented: boolean | undefined;
  readonly validated: boolean | undefined;
}

export interface RouteMatchPlan {
  readonly path: PathMatchPlan;
  readonly headers: readonly HeaderMatchPlan[];
  readonly query: readonly QueryMatchPlan[];
  readonly grpc: boolean;
  readonly tls: TlsMatchPlan | undefined;
  readonly metadata: readonly MetadataMatchPlan[];
  /** Chance in [0, 1]. */
  readonly fraction: number;
}

export function planRouteMatch(source: RouteMatch | undefined, problems: string[]): RouteMatchPlan {
  const tls = source?.tlsContext;
  return {
    path: planPath(source, problems),
    headers: (source?.headers ?? []).map((header) => planHeaderMatch(header, problems)),
    query: (source?.queryParameters ?? []).map((query) => planQueryMatch(query, problems)),
    grpc: source?.grpc !== undefined,
    tls: tls && { presented: tls.presented, validated: tls.validated },
    metadata: (source?.dynamicMetadata ?? []).map((matcher) => planMetadataMatch(matcher, problems)),
    fraction: source?.runtimeFraction ? runtimeFraction(source.runtimeFraction) : 1,
  };
}

const noPath: PathMatchPlan = { kind: 'none', text: '', ignoreCase: false };

function planPath(source: RouteMatch | undefined, problems: string[]): PathMatchPlan {
  const path = source?.pathSpecifier;
  const ignoreCase = source?.caseSensitive === false;
  switch (path?.case) {
    case 'prefix':
    case 'path':
      return { kind: path.case, text: path.value, ignoreCase };
    case 'pathSeparatedPrefix':
      if (!/^\/[^?#]*[^?#/]$/.test(path.value))
        problems.push(
          `path_separated_prefix ${JSON.stringify(path.value)} must start with / and not end with it`,
        );
      return { kind: 'separatedPrefix', text: path.value, ignoreCase };
    case 'safeRegex': {
      const text = planPattern(path.value.regex, problems);
      return text === undefined ? noPath : { kind: 'regex', text, ignoreCase: false };
    }
    case 'connectMatcher':
      return { kind: 'connect', text: '', ignoreCase: false };
    default:
      problems.push(path?.case ? `${path.case} is not supported` : 'route match without a path condition');
      return noPath;
  }
}
