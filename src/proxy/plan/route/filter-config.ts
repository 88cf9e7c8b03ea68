// What a route says to the HTTP filters, by the names that they have in the connection manager.
import type { Kinded } from '../filter-catalog.ts';

/** Of the filter that `kind` names, or one of the answers below. */
export type FilterConfig = Kinded;

/** Not for this route. */
export const disabledFilter: FilterConfig = { kind: 'disabled' };

/** For this route, even where the connection manager has it disabled. */
export const enabledFilter: FilterConfig = { kind: 'enabled' };

/** Of a type that no filter here reads. */
export interface OpaqueConfig extends FilterConfig {
  readonly kind: 'opaque';
  readonly type: string;
}

export interface NamedFilterConfig {
  /** That the filter has in the connection manager. */
  readonly name: string;
  readonly config: FilterConfig;
}

/** One for a name; a short list. */
export type FilterConfigs = readonly NamedFilterConfig[];

export const noFilterConfigs: FilterConfigs = [];

export function filterConfig(configs: FilterConfigs, name: string): FilterConfig | undefined {
  for (const one of configs) if (one.name === name) return one.config;
  return undefined;
}

/** The more specific ones count. */
export function mergedFilterConfigs(wider: FilterConfigs, own: FilterConfigs): FilterConfigs {
  if (own.length === 0) return wider;
  return [...wider.filter(({ name }) => filterConfig(own, name) === undefined), ...own];
}
