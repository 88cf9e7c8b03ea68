// Every field of a listener is in its plan, or a problem, or in the list below with the reason.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry, fromJson } from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { TcpProxySchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import { fieldsWithoutEffect } from '../../../../test/field-effects.ts';
import { filterCatalog } from '../../filters/all.ts';
import { planListener } from './listener-plan.ts';

const system = 'an option of sockets that is left to the system';
const forOthers = 'read by extensions that there are none of';

const withoutEffect: Readonly<Record<string, string>> = {
  'SocketAddress.protocol': 'UDP listeners have a plan of their own',
  'SocketAddress.resolver_name': 'addresses of listeners are numbers',
  'SocketAddress.ipv4_compat': system,
  'AdditionalAddress.socket_options': 'those of the listener count for all its addresses',
  'Pipe.mode': system,
  'Filter.name': 'a name for people; what counts is the type',
  'FilterChainMatch.address_suffix': 'not implemented in Envoy',
  'FilterChainMatch.suffix_len': 'not implemented in Envoy',
  'FilterChain.use_proxy_proto': 'deprecated: the listener filter says it',
  'FilterChain.metadata': forOthers,
  'FilterChain.on_demand_configuration': 'not implemented in Envoy',
  'Listener.per_connection_buffer_limit_bytes': 'buffers have limits of their own',
  'Listener.metadata': forOthers,
  'Listener.drain_type': 'all listeners drain alike',
  'Listener.transparent': system,
  'Listener.freebind': system,
  'Listener.tcp_fast_open_queue_length': system,
  'Listener.udp_listener_config': 'UDP listeners have a plan of their own',
  'Listener.api_listener': 'of applications that have Envoy inside',
  'Listener.connection_balance_config': 'there is one thread',
  'Listener.reuse_port': system,
  'Listener.enable_reuse_port': system,
  'Listener.max_connections_to_accept_per_socket_event': 'an optimisation',
  'Listener.internal_listener': 'a listener without an address is refused',
  'Listener.enable_mptcp': system,
  'Listener.ignore_global_conn_limit': 'there is no limit over all listeners',
  'Listener.bypass_overload_manager': 'there is no overload manager',
};

const registry = createRegistry(EmptySchema, TcpProxySchema);

const filterChains = [
  {
    filters: [
      {
        name: 't',
        typedConfig: {
          '@type': 'type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy',
          statPrefix: 's',
          cluster: 'c',
        },
      },
    ],
  },
];

test('every field of a listener is accounted for', () => {
  const found = fieldsWithoutEffect({
    schema: ListenerSchema,
    base: {
      name: 'l',
      address: { socketAddress: { address: '127.0.0.1', portValue: 80 } },
      filterChains,
    },
    elsewhere: ['ConfigSource', 'AccessLog'],
    seeds: { AdditionalAddress: { address: { socketAddress: { address: '127.0.0.2', portValue: 80 } } } },
    plan: (json) => planListener(fromJson(ListenerSchema, json, { registry }), filterCatalog),
  });
  assert.deepEqual(found, Object.keys(withoutEffect).sort());
});
