// Requests and route configurations for tests and benchmarks, written the short way.

import { createRegistry, fromJson, type JsonValue } from '@bufbuild/protobuf';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { FilterConfigSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { CorsPolicySchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { PreviousHostsPredicateSchema } from '@meltemi/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts';
import { PreviousPrioritiesConfigSchema } from '@meltemi/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config';
import type { HeaderView, MutableHeaders, RequestView } from '../../codec/http/request-view.ts';
import { filterCatalog } from '../../filters/all.ts';
import { planRoutes } from '../../plan/route/route-table.ts';
import type { RouteContext } from './decision.ts';
import { RouteTable } from './route-table.ts';

type Lines = Readonly<Record<string, string | readonly string[]>>;

export interface RequestText {
  readonly method?: string;
  readonly path?: string;
  readonly authority?: string;
  readonly scheme?: string;
  readonly headers?: Lines;
}

export function headersOf(lines: Lines): HeaderView {
  const map = new Map(
    Object.entries(lines).map(([name, value]) => [name, typeof value === 'string' ? [value] : value]),
  );
  return { get: (name) => map.get(name)?.[0], getAll: (name) => map.get(name) ?? [] };
}

export function requestOf(text: RequestText): RequestView {
  const { method = 'GET', path = '/', authority = 'reviews', scheme = 'http', headers = {} } = text;
  return { method, path, authority, scheme, ...headersOf(headers) };
}

/** Headers that mutations can be tried on; `lines` shows them in order as `name: value`. */
export function mutableHeaders(
  initial: readonly (readonly [string, string])[],
): MutableHeaders & { readonly lines: () => readonly string[] } {
  let entries = initial.map(([name, value]) => ({ name, value }));
  return {
    get: (name) => entries.find((entry) => entry.name === name)?.value,
    set: (name, value) => {
      const at = entries.findIndex((entry) => entry.name === name);
      if (at < 0) entries.push({ name, value });
      else
        entries = entries
          .filter((entry, i) => i === at || entry.name !== name)
          .map((entry) => (entry.name === name ? { name, value } : entry));
    },
    add: (name, value) => {
      entries.push({ name, value });
    },
    remove: (name) => {
      entries = entries.filter((entry) => entry.name !== name);
    },
    lines: () => entries.map(({ name, value }) => `${name}: ${value}`),
  };
}

export const registry = createRegistry(
  FilterConfigSchema,
  CorsPolicySchema,
  HTTPFaultSchema,
  PreviousHostsPredicateSchema,
  PreviousPrioritiesConfigSchema,
);

export function routeConfiguration(json: JsonValue): RouteConfiguration {
  return fromJson(RouteConfigurationSchema, json, { registry });
}

/** Routes in use, and what is wrong with their configuration. */
export function routesOf(config: RouteConfiguration): { table: RouteTable; problems: readonly string[] } {
  const { plan, problems } = planRoutes(config, filterCatalog);
  return { table: new RouteTable(plan), problems };
}

/** A configuration of one virtual host that takes every authority. */
export function withRoutes(...routes: readonly JsonValue[]): RouteConfiguration {
  return routeConfiguration({
    name: 'r',
    virtual_hosts: [{ name: 'all', domains: ['*'], routes: [...routes] }],
  });
}

/** Draws the given numbers in turn, then the last one for ever. */
export function draws(...values: readonly number[]): () => number {
  let at = 0;
  return () => values[Math.min(at++, values.length - 1)] ?? 0;
}

export function context(random: () => number = () => 0): RouteContext {
  return { random };
}

/** mulberry32: a small seeded generator, so that statistical tests are the same every time. */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
