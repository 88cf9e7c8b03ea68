// Reads an Envoy bootstrap, in protobuf's JSON with either spelling of field names; what this proxy has no use for is passed over.
import { createRegistry, fromJson, type JsonValue } from '@bufbuild/protobuf';
import { type Bootstrap, BootstrapSchema } from '@meltemi/envoy-api/envoy/config/bootstrap/v3/bootstrap';
import { CorsPolicySchema, CorsSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import { HTTPFaultSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { FilterConfigSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/grpc_stats/v3/config';
import { GrpcWebSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/grpc_web/v3/grpc_web';
import { RouterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/router/v3/router';
import { HttpInspectorSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector';
import { OriginalDstSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/original_dst/v3/original_dst';
import { TlsInspectorSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { MongoProxySchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/mongo_proxy/v3/mongo_proxy';
import { TcpProxySchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import { CaresDnsResolverConfigSchema } from '@meltemi/envoy-api/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver';
import { UuidRequestIdConfigSchema } from '@meltemi/envoy-api/envoy/extensions/request_id/uuid/v3/uuid';
import { PreviousHostsPredicateSchema } from '@meltemi/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts';
import { RawBufferSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer';
import { DownstreamTlsContextSchema, UpstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';

export type { Bootstrap };

/** The extensions that this proxy understands, to read `typed_config` out of JSON. */
export const knownTypes = createRegistry(
  FilterConfigSchema,
  GrpcWebSchema,
  CorsPolicySchema,
  CorsSchema,
  HTTPFaultSchema,
  RouterSchema,
  HttpInspectorSchema,
  OriginalDstSchema,
  TlsInspectorSchema,
  HttpConnectionManagerSchema,
  MongoProxySchema,
  TcpProxySchema,
  CaresDnsResolverConfigSchema,
  UuidRequestIdConfigSchema,
  PreviousHostsPredicateSchema,
  RawBufferSchema,
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
  HttpProtocolOptionsSchema,
);

/** Throws with a text for people when the file is not a bootstrap. */
export function readBootstrap(text: string): Bootstrap {
  const json: unknown = JSON.parse(text);
  return fromJson(BootstrapSchema, withoutUnknownTypes(json), { registry: knownTypes, ignoreUnknownFields: true });
}

/** Extensions of kinds not known here (sinks, tracers, sandboxes) are left out: none of them decides where traffic goes. */
function withoutUnknownTypes(value: unknown): JsonValue {
  if (Array.isArray(value)) return value.map(withoutUnknownTypes);
  if (typeof value !== 'object' || value === null) return value as JsonValue;
  const type = (value as Record<string, unknown>)['@type'];
  if (typeof type === 'string' && !knownTypes.getMessage(type.slice(type.lastIndexOf('/') + 1))) return {};
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, withoutUnknownTypes(inner)]));
}
