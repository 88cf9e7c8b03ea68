// Header operations of routes and destinations, and the Host rewrites hidden in them.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#Headers
import type {
  HeaderValueOption_HeaderAppendAction,
  HeaderValueOptionSchema,
} from '@meltemi/envoy-api/envoy/config/core/v3/base';
import type { Headers } from '../../config/index.ts';
import type { Init } from '../wire.ts';

type HeaderInit = Init<typeof HeaderValueOptionSchema>;
type Operations = NonNullable<Headers['request']>;

export interface HeaderPlan {
  readonly requestHeadersToAdd: readonly HeaderInit[];
  readonly requestHeadersToRemove: readonly string[];
  readonly responseHeadersToAdd: readonly HeaderInit[];
  readonly responseHeadersToRemove: readonly string[];
  /** Host to send upstream; set and add of Host or :authority. */
  readonly authority?: string;
}

const overwrite: HeaderValueOption_HeaderAppendAction = 2;
const append: HeaderValueOption_HeaderAppendAction = 0;

export function headerPlan(headers: Headers | undefined): HeaderPlan {
  const { request, response } = headers ?? {};
  return {
    requestHeadersToAdd: additions(request),
    requestHeadersToRemove: removals(request),
    responseHeadersToAdd: additions(response),
    responseHeadersToRemove: removals(response),
    authority: authorityOf(request?.set) ?? authorityOf(request?.add),
  };
}

/** The plans of a route and of its only destination in one: the route's operations come first. */
export function joinPlans(route: HeaderPlan, destination: HeaderPlan): HeaderPlan {
  return {
    requestHeadersToAdd: [...route.requestHeadersToAdd, ...destination.requestHeadersToAdd],
    requestHeadersToRemove: [...route.requestHeadersToRemove, ...destination.requestHeadersToRemove],
    responseHeadersToAdd: [...route.responseHeadersToAdd, ...destination.responseHeadersToAdd],
    responseHeadersToRemove: [...route.responseHeadersToRemove, ...destination.responseHeadersToRemove],
    authority: route.authority ?? destination.authority,
  };
}

function additions(operations: Operations | undefined): readonly HeaderInit[] {
  return [...entries(operations?.set, overwrite), ...entries(operations?.add, append)];
}

function entries(
  map: Readonly<Record<string, string>> | undefined,
  appendAction: HeaderValueOption_HeaderAppendAction,
): readonly HeaderInit[] {
  return Object.keys(map ?? {})
    .filter(isOrdinary)
    .sort()
    .map((key) => ({ header: { key, value: formatOf(map?.[key] ?? '') }, appendAction }));
}

function removals(operations: Operations | undefined): readonly string[] {
  return (operations?.remove ?? []).filter(isOrdinary);
}

/**
 * Host has a field of its own, and pseudo headers are not to be touched: Envoy refuses the route. Gateway API
 * lets them through.
 */
function isOrdinary(name: string): boolean {
  return !isAuthority(name) && !name.startsWith(':');
}

/** A value is a format for Envoy. What is none, as Gateway API's plain texts may be, stands for itself. */
function formatOf(value: string): string {
  const literal = value.replaceAll('%%', '').replace(/%[A-Z0-9_]+(?:\([^%]*\))?(?::\d+)?%/g, '');
  return literal.includes('%') ? value.replaceAll('%', '%%') : value;
}

function authorityOf(map: Readonly<Record<string, string>> | undefined): string | undefined {
  const key = Object.keys(map ?? {}).find(isAuthority);
  return key === undefined ? undefined : map?.[key];
}

function isAuthority(name: string): boolean {
  return /^(host|:authority)$/i.test(name);
}
