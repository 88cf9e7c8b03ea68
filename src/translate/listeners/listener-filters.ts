// Listener filters: what is learned of a connection before a filter chain is chosen.
import { create } from '@bufbuild/protobuf';
import {
  type ListenerFilter,
  type ListenerFilterChainMatchPredicate,
  ListenerFilterChainMatchPredicateSchema,
  ListenerFilterSchema,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { HttpInspectorSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector';
import { OriginalDstSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/original_dst/v3/original_dst';
import { ProxyProtocolSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol';
import { TlsInspectorSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector';
import { any } from '../wire.ts';

/** Ports on which an inspector must not wait for bytes of the client. */
export type DisabledPorts = readonly number[];

export function originalDestination(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.original_dst',
    configType: { case: 'typedConfig', value: any(OriginalDstSchema, {}) },
  });
}

export function tlsInspector(disabled: DisabledPorts = []): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.tls_inspector',
    configType: { case: 'typedConfig', value: any(TlsInspectorSchema, {}) },
    filterDisabled: portsPredicate(disabled),
  });
}

/** On these ports alone. */
export function tlsInspectorOn(ports: readonly number[]): ListenerFilter {
  const wanted = portsPredicate(ports);
  return create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.tls_inspector',
    configType: { case: 'typedConfig', value: any(TlsInspectorSchema, {}) },
    filterDisabled:
      wanted &&
      create(ListenerFilterChainMatchPredicateSchema, { rule: { case: 'notMatch', value: wanted } }),
  });
}

export function httpInspector(disabled: DisabledPorts = []): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.http_inspector',
    configType: { case: 'typedConfig', value: any(HttpInspectorSchema, {}) },
    filterDisabled: portsPredicate(disabled),
  });
}

/** The address of the client comes in front of its bytes, from a load balancer. */
export function proxyProtocol(): ListenerFilter {
  return create(ListenerFilterSchema, {
    name: 'envoy.filters.listener.proxy_protocol',
    configType: { case: 'typedConfig', value: any(ProxyProtocolSchema, {}) },
  });
}

function portsPredicate(ports: DisabledPorts): ListenerFilterChainMatchPredicate | undefined {
  const rules = [...new Set(ports)]
    .sort((a, b) => a - b)
    .map((port) =>
      create(ListenerFilterChainMatchPredicateSchema, {
        rule: { case: 'destinationPortRange', value: { start: port, end: port + 1 } },
      }),
    );
  if (rules.length <= 1) return rules[0];
  return create(ListenerFilterChainMatchPredicateSchema, { rule: { case: 'orMatch', value: { rules } } });
}
