// What a listener looks at before it chooses a filter chain.
import { fromBinary } from '@bufbuild/protobuf';
import type { ListenerFilter } from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { ProxyProtocolSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol';
import { matchesPort, type PortMatch, planPortMatch } from './port-match.ts';

export interface InspectorPlan {
  /** By destination port. */
  readonly disabled: PortMatch | undefined;
}

export interface ListenerFiltersPlan {
  /** Each undefined when there is none. */
  readonly inspectors: {
    readonly tls: InspectorPlan | undefined;
    readonly http: InspectorPlan | undefined;
  };
  /** The address that a redirected connection was meant for is asked of the kernel. */
  readonly restoresDestination: boolean;
  /** Connections begin with the address of the client that they are for. */
  readonly proxyHeader: 'none' | 'required' | 'optional';
}

export const noListenerFilters: ListenerFiltersPlan = {
  inspectors: { tls: undefined, http: undefined },
  restoresDestination: false,
  proxyHeader: 'none',
};

export function planListenerFilters(
  list: readonly ListenerFilter[],
  problems: string[],
): ListenerFiltersPlan {
  return list.reduce((plan, filter) => withFilter(plan, filter, problems), noListenerFilters);
}

/** Whether an inspector looks at connections to a port. */
export function inspects(inspector: InspectorPlan | undefined, port: number): boolean {
  if (!inspector) return false;
  return !inspector.disabled || !matchesPort(inspector.disabled, port);
}

function withFilter(
  plan: ListenerFiltersPlan,
  filter: ListenerFilter,
  problems: string[],
): ListenerFiltersPlan {
  const inspector = { disabled: filter.filterDisabled && planPortMatch(filter.filterDisabled) };
  const { inspectors } = plan;
  if (filter.name.includes('tls_inspector'))
    return { ...plan, inspectors: { ...inspectors, tls: inspector } };
  if (filter.name.includes('http_inspector'))
    return { ...plan, inspectors: { ...inspectors, http: inspector } };
  if (filter.name.includes('original_dst')) return { ...plan, restoresDestination: true };
  if (filter.name.includes('proxy_protocol')) return { ...plan, proxyHeader: proxyHeaderOf(filter) };
  problems.push(`listener filter ${filter.name} is not supported`);
  return plan;
}

function proxyHeaderOf({ configType }: ListenerFilter): 'required' | 'optional' {
  const any = configType.case === 'typedConfig' ? configType.value : undefined;
  const config = any && fromBinary(ProxyProtocolSchema, any.value);
  return config?.allowRequestsWithoutProxyProtocol ? 'optional' : 'required';
}
