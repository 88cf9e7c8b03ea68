// A request that a route is for, made of what the route matches.
import type { HeaderMatcher, RouteMatch } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { StringMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/string';
import type { RequestView } from '../../proxy/pure.ts';

export interface SampleRequest {
  readonly method: string;
  readonly path: string;
  /** Undefined for the address of the gateway itself. */
  readonly host: string | undefined;
  readonly headers: ReadonlyMap<string, string>;
}

/** Whether the request meets what it was made for is left to those who decide. */
export function sampleRequest(domain: string, match: RouteMatch | undefined): SampleRequest {
  const headers = new Map((match?.headers ?? []).map(sampleHeader).filter((one) => one !== undefined));
  const method = headers.get(':method') ?? 'GET';
  const host = headers.get(':authority') ?? hostIn(domain);
  const plain = [...headers].filter(([name]) => !name.startsWith(':'));
  return { method, host, path: `${pathIn(match)}${queryIn(match)}`, headers: new Map(plain) };
}

/** As the gateway sees it. */
export function asSeen(request: SampleRequest, authority: string): RequestView {
  const { method, path, host, headers } = request;
  const lines = (name: string): readonly string[] => {
    const value = headers.get(name);
    return value === undefined ? [] : [value];
  };
  return {
    method,
    path,
    authority: host ?? authority,
    scheme: 'http',
    get: (name) => headers.get(name),
    getAll: lines,
  };
}

export function curlCommand({ method, path, host, headers }: SampleRequest, authority: string): string {
  const options = [...headers].map(([name, value]) =>
    name === 'cookie' ? `-b ${value}` : `-H '${name}: ${value}'`,
  );
  return [
    'curl -s',
    ...(method === 'GET' ? [] : [`-X ${method}`]),
    `${authority}${path}`,
    ...(host === undefined ? [] : [`-H 'Host: ${host}'`]),
    ...options,
  ].join(' ');
}

/** The domain of a virtual host, which may have a port, with something for its `*`. */
function hostIn(domain: string): string | undefined {
  const host = domain.replace(/:[\d*]+$/, '');
  return host === '*' ? undefined : host.replace('*', 'www').replaceAll('..', '.');
}

function pathIn(match: RouteMatch | undefined): string {
  const path = match?.pathSpecifier;
  switch (path?.case) {
    case 'path':
    case 'prefix':
    case 'pathSeparatedPrefix':
      return path.value;
    default:
      return '/';
  }
}

function queryIn(match: RouteMatch | undefined): string {
  const parameters = (match?.queryParameters ?? []).flatMap(
    ({ name, queryParameterMatchSpecifier: wanted }) =>
      wanted.case === 'stringMatch' ? [`${name}=${sampleText(wanted.value) ?? ''}`] : [name],
  );
  return parameters.length === 0 ? '' : `?${parameters.join('&')}`;
}

function sampleHeader({
  name,
  headerMatchSpecifier,
  invertMatch,
}: HeaderMatcher): [string, string] | undefined {
  if (invertMatch) return undefined;
  const value = valueIn(headerMatchSpecifier);
  if (value === undefined) return undefined;
  const lower = name.toLowerCase();
  // Of a pattern over the whole field, one cookie is what people try.
  const cookie = lower === 'cookie' ? /[\w-]+=[\w-]+/.exec(value)?.[0] : undefined;
  return [lower, cookie ?? value];
}

/** The text that a condition on a header is about. */
export function valueIn(wanted: HeaderMatcher['headerMatchSpecifier']): string | undefined {
  switch (wanted.case) {
    case 'stringMatch':
      return sampleText(wanted.value);
    case 'presentMatch':
      return wanted.value ? 'x' : undefined;
    case 'exactMatch':
    case 'prefixMatch':
    case 'suffixMatch':
    case 'containsMatch':
      return wanted.value;
    case 'safeRegexMatch':
      return wanted.value.regex;
    default:
      return undefined;
  }
}

function sampleText({ matchPattern: pattern }: StringMatcher): string | undefined {
  switch (pattern.case) {
    case 'exact':
    case 'prefix':
    case 'suffix':
    case 'contains':
      return pattern.value;
    case 'safeRegex':
      return pattern.value.regex;
    default:
      return undefined;
  }
}
