// Configuration of HTTP filters by route, read once.
import { type Any, anyUnpack } from '@bufbuild/protobuf/wkt';
import { FilterConfigSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { FilterCatalog } from '../filter-catalog.ts';
import {
  disabledFilter,
  enabledFilter,
  type FilterConfig,
  type FilterConfigs,
  mergedFilterConfigs,
  type OpaqueConfig,
} from './filter-config.ts';

export interface WiderFilters {
  readonly catalog: FilterCatalog;
  readonly filters: FilterConfigs;
}

/** Adds a more specific level over the wider ones. */
export function planRouteFilters(
  configs: Readonly<Record<string, Any>>,
  wider: WiderFilters,
  problems: string[],
): FilterConfigs {
  const own = Object.entries(configs).flatMap(([name, any]) => {
    const config = planOne(name, any, { catalog: wider.catalog, problems });
    return config ? [{ name, config }] : [];
  });
  return mergedFilterConfigs(wider.filters, own);
}

interface Reading {
  readonly catalog: FilterCatalog;
  readonly problems: string[];
}

function planOne(name: string, any: Any, reading: Reading): FilterConfig | undefined {
  const type = any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1);
  const { catalog, problems } = reading;
  try {
    if (type === FilterConfigSchema.typeName) return planWrapped(name, any, reading);
    const opaque: OpaqueConfig = { kind: 'opaque', type };
    return catalog.route(type)?.(any.value, problems) ?? opaque;
  } catch (error) {
    problems.push(
      `filter configuration ${any.typeUrl}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}

function planWrapped(name: string, any: Any, reading: Reading): FilterConfig | undefined {
  const wrapper = anyUnpack(any, FilterConfigSchema);
  if (wrapper?.disabled) return disabledFilter;
  const config = wrapper?.config;
  if (!config) {
    reading.problems.push(`Empty route/virtual host per filter configuration for ${name} filter`);
    return undefined;
  }
  return config.typeUrl === '' ? enabledFilter : planOne(name, config, reading);
}
