// Which rule of the user's files a route of the gateway comes from.
import type { Route, RouteMatch } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { type Issue, joinPath } from '../../base/index.ts';
import type { HTTPMatchRequest, HTTPRoute, ObjectOfKind } from '../../config/index.ts';
import { configPath } from '../../translate/index.ts';
import { valueIn } from './sample-request.ts';

export interface RouteOrigin {
  /** The same for all routes of one rule. */
  readonly rule: string;
  /** `file.yaml:12`, of the fault that the rule injects. */
  readonly fault: string | undefined;
}

type VirtualServiceObject = ObjectOfKind<'VirtualService'>;

/** `place` finds the line of a field. */
export function routeOrigins(
  services: readonly VirtualServiceObject[],
  place: (issue: Issue) => Issue,
): (route: Route) => RouteOrigin | undefined {
  const byPath = new Map(services.map((service) => [pathOf(service), service]));
  return (route) => {
    const path = route.metadata?.filterMetadata['istio']?.['config'];
    const service = typeof path === 'string' ? byPath.get(path) : undefined;
    const index = service?.spec.http?.findIndex((rule) => isOf(rule, route)) ?? -1;
    if (!service || index < 0) return undefined;
    const field = `spec.http[${index}]`;
    const hasFault = service.spec.http?.[index]?.fault !== undefined;
    return {
      rule: `${path} ${field}`,
      fault: hasFault ? whereIs(service, `${field}.fault`, place) : undefined,
    };
  };
}

function pathOf({ metadata }: VirtualServiceObject): string {
  return configPath('virtual-service', metadata.namespace, metadata.name);
}

/** The rule has the route's name, and one of its matches is the route's. */
function isOf(rule: HTTPRoute, { name, match }: Route): boolean {
  const own = rule.name ?? '';
  if (name !== own && !name.startsWith(`${own}.`)) return false;
  return (rule.match ?? [{}]).some((one) => match !== undefined && isSame(one, match));
}

/** By path and headers: what else they ask for hardly ever tells two of them apart. */
function isSame({ uri, headers = {} }: HTTPMatchRequest, match: RouteMatch): boolean {
  const path = match.pathSpecifier.value;
  if (typeof path === 'string' && path !== (uri?.exact ?? uri?.prefix ?? '/')) return false;
  const wanted = Object.entries(headers).map(([name, { exact, prefix, regex }]) =>
    headerText(name, exact ?? prefix ?? regex),
  );
  const found = match.headers
    .filter((header) => !header.name.startsWith(':'))
    .map((header) => headerText(header.name, valueIn(header.headerMatchSpecifier)));
  return wanted.length === found.length && wanted.every((one) => found.includes(one));
}

function headerText(name: string, value: string | undefined): string {
  return `${name.toLowerCase()}: ${value ?? ''}`;
}

function whereIs({ origin }: VirtualServiceObject, path: string, place: (issue: Issue) => Issue): string {
  const field = place({
    code: '',
    severity: 'info',
    message: '',
    origin: { ...origin, path: joinPath(origin.path, path) },
  });
  const file = (field.origin.file ?? '').replace(/^.*[\\/]/, '');
  return `${file}:${field.origin.line ?? 1}`;
}
