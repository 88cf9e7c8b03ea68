// Every field of an HTTP connection manager is in its plan, or a problem, or in the list below with the reason.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry, fromJson } from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { RouterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/router/v3/router';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { fieldsWithoutEffect } from '../../../../test/field-effects.ts';
import { filterCatalog } from '../../filters/all.ts';
import { planManager } from './manager-plan.ts';

const notHere = 'not done here: the default of Envoy holds';
const noSpans = 'no spans are made; tracing only has operations named';
const parser = 'of a parser that is not this one';
const ofUpstreams = 'of requests to upstreams';
const floods = 'frames are counted by limits of the codec itself';
const forOthers = 'an extension of which there is none';

const withoutEffect: Readonly<Record<string, string>> = {
  'Rds.config_source': 'all discovery is by the one stream',
  'HttpFilter.is_optional': 'counts for a filter that is not known',
  'HttpConnectionManager.add_user_agent': notHere,
  'HttpConnectionManager.Tracing.client_sampling': noSpans,
  'HttpConnectionManager.Tracing.random_sampling': noSpans,
  'HttpConnectionManager.Tracing.overall_sampling': noSpans,
  'HttpConnectionManager.Tracing.verbose': noSpans,
  'HttpConnectionManager.Tracing.max_path_tag_length': noSpans,
  'HttpConnectionManager.Tracing.custom_tags': noSpans,
  'HttpConnectionManager.Tracing.provider': noSpans,
  'HttpConnectionManager.Tracing.spawn_upstream_span': noSpans,
  'Http1ProtocolOptions.allow_absolute_url': 'absolute targets are always taken, as proxies have to',
  'Http1ProtocolOptions.header_key_format': 'names of headers go out in lower case',
  'Http1ProtocolOptions.allow_chunked_length': 'a request with both framings is refused',
  'Http1ProtocolOptions.override_stream_error_on_invalid_http_message':
    'a connection with a malformed request is closed',
  'Http1ProtocolOptions.send_fully_qualified_url': ofUpstreams,
  'Http1ProtocolOptions.use_balsa_parser': parser,
  'Http1ProtocolOptions.allow_custom_methods': parser,
  'Http2ProtocolOptions.hpack_table_size': 'the table has the size that HTTP/2 begins with',
  'Http2ProtocolOptions.allow_metadata': 'METADATA frames are an extension of Envoy',
  'Http2ProtocolOptions.max_outbound_frames': floods,
  'Http2ProtocolOptions.max_outbound_control_frames': floods,
  'Http2ProtocolOptions.max_consecutive_inbound_frames_with_empty_payload': floods,
  'Http2ProtocolOptions.max_inbound_priority_frames_per_stream': floods,
  'Http2ProtocolOptions.max_inbound_window_update_frames_per_data_frame_sent': floods,
  'Http2ProtocolOptions.stream_error_on_invalid_http_messaging':
    'a connection with a malformed request is closed',
  'Http2ProtocolOptions.override_stream_error_on_invalid_http_message':
    'a connection with a malformed request is closed',
  'Http2ProtocolOptions.custom_settings_parameters': notHere,
  'Http2ProtocolOptions.use_oghttp2_codec': parser,
  'HttpConnectionManager.http3_protocol_options': 'there is no HTTP/3',
  'HttpConnectionManager.scheme_header_transformation': notHere,
  'HttpConnectionManager.drain_timeout': 'all connections drain alike',
  'HttpConnectionManager.delayed_close_timeout': 'the codec closes as the peer lets it',
  'HttpConnectionManager.access_log_flush_interval': 'a line is written when the exchange is over',
  'HttpConnectionManager.flush_access_log_on_new_request': 'a line is written when the exchange is over',
  'HttpConnectionManager.access_log_options': 'a line is written when the exchange is over',
  'HttpConnectionManager.original_ip_detection_extensions': forOthers,
  'HttpConnectionManager.early_header_mutation_extensions': forOthers,
  'HttpConnectionManager.InternalAddressConfig.unix_sockets': 'listeners take no such connections of clients',
  'HttpConnectionManager.represent_ipv4_remote_address_as_ipv4_mapped_ipv6': notHere,
  'HttpConnectionManager.UpgradeConfig.filters': 'upgrades pass the usual filters',
  'HttpConnectionManager.request_id_extension': 'ids of requests are UUIDs',
  'HttpConnectionManager.local_reply_config': notHere,
  'HttpConnectionManager.stream_error_on_invalid_http_message':
    'a connection with a malformed request is closed',
  'HttpConnectionManager.path_normalization_options': 'not implemented in Envoy beyond its older fields',
  'HttpConnectionManager.proxy_status_config': notHere,
  'HttpConnectionManager.typed_header_validation_config': parser,
  'HttpConnectionManager.append_x_forwarded_port': notHere,
  'HttpConnectionManager.append_local_overload': 'there is no overload manager',
  'HttpConnectionManager.add_proxy_protocol_connection_state': forOthers,
};

const registry = createRegistry(EmptySchema, RouterSchema);
const router = {
  name: 'envoy.filters.http.router',
  typedConfig: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
};

test('every field of an HTTP connection manager is accounted for', () => {
  const found = fieldsWithoutEffect({
    schema: HttpConnectionManagerSchema,
    base: {
      statPrefix: 's',
      rds: { routeConfigName: 'r', configSource: { ads: {} } },
      httpFilters: [router],
    },
    elsewhere: ['RouteConfiguration', 'ConfigSource', 'AccessLog'],
    plan: (json) => {
      const problems: string[] = [];
      const message = fromJson(HttpConnectionManagerSchema, json, { registry });
      return { plan: planManager(message, { outbound: true, catalog: filterCatalog }, problems), problems };
    },
  });
  assert.deepEqual(found, Object.keys(withoutEffect).sort());
});
