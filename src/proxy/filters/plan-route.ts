// Configuration of HTTP filters by route, read once.
import { type Any, anyUnpack } from '@bufbuild/protobuf/wkt';
import { FilterConfigSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import {
  disabledFilter,
  enabledFilter,
  type FilterConfig,
  type FilterConfigs,
  mergedFilterConfigs,
  type OpaqueConfig,
} from '../plan/route/filter-config.ts';
import { filterForRoute } from './all.ts';

/** Adds a more specific level over the wider ones. */
export function planRouteFilters(
  configs: Readonly<Record<string, Any>>,
  wider: FilterConfigs,
  problems: string[],
): FilterConfigs {
  const own = Object.entries(configs).flatMap(([name, any]) => {
    const config = planRouteFilter(name, any, problems);
    return config ? [{ name, config }] : [];
  });
  return mergedFilterConfigs(wider, own);
}

function planRouteFilter(name: string, any: Any, problems: string[]): FilterConfig | undefined {
  const type = any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1);
  try {
    if (type === FilterConfigSchema.typeName) return planWrapped(name, any, problems);
    const opaque: OpaqueConfig = { kind: 'opaque', type };
    return filterForRoute(type)?.planRoute(any.value, problems) ?? opaque;
  } catch (error) {
    problems.push(
      `filter configuration ${any.typeUrl}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}

function planWrapped(name: string, any: Any, problems: string[]): FilterConfig | undefined {
  const wrapper = anyUnpack(any, FilterConfigSchema);
  if (wrapper?.disabled) return disabledFilter;
  const config = wrapper?.config;
  if (!config) {
    problems.push(`Empty route/virtual host per filter configuration for ${name} filter`);
    return undefined;
  }
  return config.typeUrl === '' ? enabledFilter : planRouteFilter(name, config, problems);
}
