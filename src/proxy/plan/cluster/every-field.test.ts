// Every field of a cluster is in its plan, or a problem, or in the list below with the reason.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry, fromJson, type JsonObject } from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import { fieldsWithoutEffect } from '../../../../test/field-effects.ts';
import { planCluster } from './cluster-plan.ts';

const statistics = 'statistics that are not kept';
const notHere = 'not done here: the default of Envoy holds';
const systemResolver = 'names are looked up as the system has it configured';
const parser = 'of a parser that is not this one';
const floods = 'of the defences against clients; an upstream is trusted not to flood';

const withoutEffect: Readonly<Record<string, string>> = {
  'Cluster.TransportSocketMatch.name': 'a name for people',
  'Cluster.EdsClusterConfig.eds_config': 'all discovery is by the one stream',
  'Cluster.per_connection_buffer_limit_bytes': 'buffers have limits of their own',
  'Cluster.health_checks': 'no active health checks are made: what the control plane says of a host counts',
  'CircuitBreakers.Thresholds.track_remaining': statistics,
  'CircuitBreakers.Thresholds.max_connection_pools': 'there is one pool a host and kind',
  'CircuitBreakers.per_host_thresholds': notHere,
  'HttpProtocolOptions.headers_with_underscores_action': 'of requests from clients',
  'Http1ProtocolOptions.allow_absolute_url': 'of requests from clients',
  'Http1ProtocolOptions.accept_http_10': 'of requests from clients',
  'Http1ProtocolOptions.default_host_for_http_10': 'of requests from clients',
  'Http1ProtocolOptions.header_key_format': 'names of headers go out in lower case',
  'Http1ProtocolOptions.allow_chunked_length': 'a response with both framings is refused',
  'Http1ProtocolOptions.override_stream_error_on_invalid_http_message': 'of requests from clients',
  'Http1ProtocolOptions.send_fully_qualified_url': notHere,
  'Http1ProtocolOptions.use_balsa_parser': parser,
  'Http1ProtocolOptions.allow_custom_methods': parser,
  'Http2ProtocolOptions.hpack_table_size': 'the table has the size that HTTP/2 begins with',
  'Http2ProtocolOptions.allow_metadata': 'METADATA frames are an extension of Envoy',
  'Http2ProtocolOptions.max_outbound_frames': floods,
  'Http2ProtocolOptions.max_outbound_control_frames': floods,
  'Http2ProtocolOptions.max_consecutive_inbound_frames_with_empty_payload': floods,
  'Http2ProtocolOptions.max_inbound_priority_frames_per_stream': floods,
  'Http2ProtocolOptions.max_inbound_window_update_frames_per_data_frame_sent': floods,
  'Http2ProtocolOptions.stream_error_on_invalid_http_messaging': 'of requests from clients',
  'Http2ProtocolOptions.override_stream_error_on_invalid_http_message': 'of requests from clients',
  'Http2ProtocolOptions.custom_settings_parameters': notHere,
  'Http2ProtocolOptions.use_oghttp2_codec': parser,
  'Cluster.dns_failure_refresh_rate': 'a failed look-up is repeated at the usual rate',
  'Cluster.dns_resolvers': systemResolver,
  'Cluster.use_tcp_for_dns_lookups': systemResolver,
  'Cluster.dns_resolution_config': systemResolver,
  'Cluster.typed_dns_resolver_config': systemResolver,
  'Cluster.wait_for_warm_on_init': 'a cluster is in force when it has its endpoints',
  'OutlierDetection.successful_active_health_check_uneject_host': 'no active health checks are made',
  'OutlierDetection.monitors': 'no extension sees outliers',
  'Cluster.cleanup_interval': 'hosts of original destinations go when they are idle',
  'BindConfig.source_address': 'connections leave from the address that the system takes',
  'BindConfig.freebind': 'connections leave from the address that the system takes',
  'BindConfig.extra_source_addresses': 'connections leave from the address that the system takes',
  'BindConfig.additional_source_addresses': 'connections leave from the address that the system takes',
  'BindConfig.local_address_selector': 'connections leave from the address that the system takes',
  'Cluster.LbSubsetConfig.LbSubsetSelector.single_host_per_subset': 'an optimisation: the subset is the same',
  'Cluster.LbSubsetConfig.locality_weight_aware': notHere,
  'Cluster.LbSubsetConfig.scale_locality_weight': notHere,
  'Cluster.LbSubsetConfig.metadata_fallback_policy': notHere,
  'Cluster.OriginalDstLbConfig.metadata_key': notHere,
  'Cluster.CommonLbConfig.ZoneAwareLbConfig.routing_enabled':
    'there is no zone aware routing: no cluster of its own is known to the proxy',
  'Cluster.CommonLbConfig.ZoneAwareLbConfig.min_cluster_size':
    'there is no zone aware routing: no cluster of its own is known to the proxy',
  'Cluster.CommonLbConfig.update_merge_window': 'an optimisation: updates are in force at once',
  'Cluster.CommonLbConfig.ignore_new_hosts_until_first_hc': 'no active health checks are made',
  'Cluster.CommonLbConfig.close_connections_on_host_set_change': notHere,
  'Cluster.CommonLbConfig.override_host_status': 'of filters that choose hosts, of which there are none',
  'Cluster.metadata': 'read by extensions that there are none of',
  'Cluster.protocol_selection': 'deprecated: the options of the upstream protocol say it',
  'UpstreamConnectionOptions.set_local_interface_name_on_upstream_connections': notHere,
  'UpstreamConnectionOptions.happy_eyeballs_config': 'a host has one address',
  'Cluster.close_connections_on_host_health_failure': 'no active health checks are made',
  'Cluster.ignore_health_on_host_removal': 'no active health checks are made',
  'Cluster.filters': 'network filters of upstream connections are extensions that there are none of',
  'Cluster.load_balancing_policy': 'lb_policy counts, which senders set beside it',
  'Cluster.lrs_server': 'no load reports are sent',
  'Cluster.lrs_report_endpoint_metrics': 'no load reports are sent',
  'Cluster.track_timeout_budgets': statistics,
  'Cluster.upstream_config': 'an extension of which there is none',
  'Cluster.track_cluster_stats': statistics,
  'Cluster.preconnect_policy': 'connections are made when they are needed',
  'Cluster.connection_pool_per_downstream_connection': notHere,
};

const registry = createRegistry(EmptySchema, HttpProtocolOptionsSchema);

const httpOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
const loadAssignment = {
  clusterName: 'c',
  endpoints: [
    { lbEndpoints: [{ endpoint: { address: { socketAddress: { address: '127.0.0.1', portValue: 80 } } } }] },
  ],
};

// Some fields count with one kind of cluster or balancer alone.
const bases: readonly JsonObject[] = [
  { type: 'EDS', edsClusterConfig: { edsConfig: { ads: {} } } },
  { type: 'EDS', lbPolicy: 'LEAST_REQUEST' },
  { type: 'EDS', lbPolicy: 'RING_HASH' },
  { type: 'EDS', lbPolicy: 'MAGLEV' },
  { type: 'ORIGINAL_DST', lbPolicy: 'CLUSTER_PROVIDED', originalDstLbConfig: { useHttpHeader: true } },
  { type: 'STRICT_DNS', loadAssignment },
];

test('every field of a cluster is accounted for', () => {
  const [first = [], ...others] = bases.map((base) =>
    fieldsWithoutEffect({
      schema: ClusterSchema,
      base: { name: 'c', ...base },
      // Endpoints have a plan of their own; all discovery is by the one stream.
      elsewhere: ['ConfigSource', 'ClusterLoadAssignment'],
      plan: (json) => planCluster(fromJson(ClusterSchema, json, { registry })),
      seeds: {
        'CircuitBreakers.Thresholds': { maxConnections: 7 },
        'Cluster.LbSubsetConfig': { subsetSelectors: [{ keys: ['a'] }] },
        'Cluster.LbSubsetConfig.LbSubsetSelector': { keys: ['a'] },
      },
      values: {
        'Cluster.typed_extension_protocol_options': [
          {
            [httpOptions]: {
              '@type': `type.googleapis.com/${httpOptions}`,
              explicitHttpConfig: { http2ProtocolOptions: {} },
            },
          },
        ],
        'Cluster.load_assignment': [loadAssignment],
      },
    }),
  );
  const found = first.filter((field) => others.every((one) => one.includes(field)));
  assert.deepEqual(found, Object.keys(withoutEffect).sort());
});
