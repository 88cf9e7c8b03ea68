// Per-route configuration of HTTP filters, read once. Types without a reader here are kept as they are for
// the filter itself.
import { type Any, anyUnpack } from '@bufbuild/protobuf/wkt';
import { FilterConfigSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { CorsPolicySchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { type CorsPlan, compileCors } from './cors.ts';
import { compileFault, type FaultPlan } from './fault.ts';

export type FilterConfig =
  | { readonly kind: 'cors'; readonly plan: CorsPlan }
  | { readonly kind: 'fault'; readonly plan: FaultPlan }
  | { readonly kind: 'disabled' }
  | { readonly kind: 'opaque'; readonly config: Any };

/** By the name that the filter has in the connection manager. */
export type FilterConfigs = ReadonlyMap<string, FilterConfig>;

const none: FilterConfigs = new Map();

/** Adds a more specific level over the wider ones. */
export function compileFilterConfigs(
  configs: Readonly<Record<string, Any>>,
  wider: FilterConfigs,
  problems: string[],
): FilterConfigs {
  const own = Object.entries(configs).flatMap(([name, any]) => {
    const config = compileFilterConfig(any, problems);
    return config ? [[name, config] as const] : [];
  });
  return own.length === 0 ? wider : new Map([...wider, ...own]);
}

export const noFilterConfigs = none;

function compileFilterConfig(any: Any, problems: string[]): FilterConfig | undefined {
  try {
    switch (any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1)) {
      case CorsPolicySchema.typeName: {
        const config = anyUnpack(any, CorsPolicySchema);
        return config && { kind: 'cors', plan: compileCors(config, problems) };
      }
      case HTTPFaultSchema.typeName: {
        const config = anyUnpack(any, HTTPFaultSchema);
        return config && { kind: 'fault', plan: compileFault(config, problems) };
      }
      case FilterConfigSchema.typeName: {
        const wrapper = anyUnpack(any, FilterConfigSchema);
        if (wrapper?.disabled) return { kind: 'disabled' };
        return wrapper?.config && compileFilterConfig(wrapper.config, problems);
      }
      default:
        return { kind: 'opaque', config: any };
    }
  } catch (error) {
    problems.push(
      `filter configuration ${any.typeUrl}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}
