// The extensions that this proxy understands.
import { createRegistry } from '@bufbuild/protobuf';
import { FilterConfigSchema as RouteFilterSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { FileAccessLogSchema } from '@meltemi/envoy-api/envoy/extensions/access_loggers/file/v3/file';
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from '@meltemi/envoy-api/envoy/extensions/access_loggers/stream/v3/stream';
import { ClusterConfigSchema as DynamicClusterSchema } from '@meltemi/envoy-api/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster';
import { BrotliSchema } from '@meltemi/envoy-api/envoy/extensions/compression/brotli/compressor/v3/brotli';
import { BrotliSchema as UnbrotliSchema } from '@meltemi/envoy-api/envoy/extensions/compression/brotli/decompressor/v3/brotli';
import { GzipSchema } from '@meltemi/envoy-api/envoy/extensions/compression/gzip/compressor/v3/gzip';
import { GzipSchema as GunzipSchema } from '@meltemi/envoy-api/envoy/extensions/compression/gzip/decompressor/v3/gzip';
import { ZstdSchema } from '@meltemi/envoy-api/envoy/extensions/compression/zstd/compressor/v3/zstd';
import { ZstdSchema as UnzstdSchema } from '@meltemi/envoy-api/envoy/extensions/compression/zstd/decompressor/v3/zstd';
import { FilterConfigSchema as DynamicHttpSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy';
import { FilterConfigSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/grpc_stats/v3/config';
import { HttpInspectorSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector';
import { OriginalDstSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/original_dst/v3/original_dst';
import { ProxyProtocolSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol';
import { TlsInspectorSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { MongoProxySchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/mongo_proxy/v3/mongo_proxy';
import { FilterConfigSchema as DynamicSniSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy';
import { TcpProxySchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import { DnsFilterConfigSchema } from '@meltemi/envoy-api/envoy/extensions/filters/udp/dns_filter/v3/dns_filter';
import { CaresDnsResolverConfigSchema } from '@meltemi/envoy-api/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver';
import { UuidRequestIdConfigSchema } from '@meltemi/envoy-api/envoy/extensions/request_id/uuid/v3/uuid';
import { OmitCanaryHostsPredicateSchema } from '@meltemi/envoy-api/envoy/extensions/retry/host/omit_canary_hosts/v3/omit_canary_hosts';
import { PreviousHostsPredicateSchema } from '@meltemi/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts';
import { PreviousPrioritiesConfigSchema } from '@meltemi/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config';
import { ProxyProtocolUpstreamTransportSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol';
import { RawBufferSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer';
import {
  DownstreamTlsContextSchema,
  UpstreamTlsContextSchema,
} from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import { filterMessages } from './filters/all.ts';

/** To read `typed_config` out of JSON. */
export const knownTypes = createRegistry(
  ...filterMessages,
  RouteFilterSchema,
  FilterConfigSchema,
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
  DynamicClusterSchema,
  DynamicHttpSchema,
  DynamicSniSchema,
  ProxyProtocolUpstreamTransportSchema,
  ProxyProtocolSchema,
  DnsFilterConfigSchema,
  FileAccessLogSchema,
  StdoutAccessLogSchema,
  StderrAccessLogSchema,
  GzipSchema,
  GunzipSchema,
  BrotliSchema,
  UnbrotliSchema,
  ZstdSchema,
  UnzstdSchema,
  OmitCanaryHostsPredicateSchema,
  PreviousPrioritiesConfigSchema,
);
