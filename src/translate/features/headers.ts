// Header operations of routes and destinations, and the Host rewrites hidden in them.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#Headers
import type { HeaderValueOption_HeaderAppendAction, HeaderValueOptionSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
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
    requestHeadersToRemove: [...(request?.remove ?? [])],
    responseHeadersToAdd: additions(response),
    responseHeadersToRemove: [...(response?.remove ?? [])],
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
    .filter((key) => !isAuthority(key))
    .sort()
    .map((key) => ({ header: { key, value: map?.[key] ?? '' }, appendAction }));
}

function authorityOf(map: Readonly<Record<string, string>> | undefined): string | undefined {
  const key = Object.keys(map ?? {}).find(isAuthority);
  return key === undefined ? undefined : map?.[key];
}

function isAuthority(name: string): boolean {
  return /^(host|:authority)$/i.test(name);
}
