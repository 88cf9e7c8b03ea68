// What a route says to the HTTP filters, by the names that they have in the connection manager.
import type { Any } from '@bufbuild/protobuf/wkt';

/** Of the filter that `kind` names, or one of the answers below. */
export interface FilterConfig {
  readonly kind: string;
}

/** Not for this route. */
export const disabledFilter: FilterConfig = { kind: 'disabled' };

/** For this route, even where the connection manager has it disabled. */
export const enabledFilter: FilterConfig = { kind: 'enabled' };

/** Of a type that no filter here reads. */
export interface OpaqueConfig extends FilterConfig {
  readonly kind: 'opaque';
  readonly config: Any;
}

/** By the name that the filter has in the connection manager. */
export type FilterConfigs = ReadonlyMap<string, FilterConfig>;

export const noFilterConfigs: FilterConfigs = new Map();
