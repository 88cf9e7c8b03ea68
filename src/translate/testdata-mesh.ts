// For tests: a configuration as text to the Envoy resources of one client, as plain JSON.
import { createRegistry, fromBinary, type JsonValue, toJson } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { file_envoy_config_cluster_v3_cluster } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { file_envoy_config_endpoint_v3_endpoint } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { file_envoy_config_listener_v3_listener } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { file_envoy_config_route_v3_route } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { file_envoy_extensions_access_loggers_file_v3_file } from '@meltemi/envoy-api/envoy/extensions/access_loggers/file/v3/file';
import { file_envoy_extensions_clusters_dynamic_forward_proxy_v3_cluster } from '@meltemi/envoy-api/envoy/extensions/clusters/dynamic_forward_proxy/v3/cluster';
import { file_envoy_extensions_filters_http_cors_v3_cors } from '@meltemi/envoy-api/envoy/extensions/filters/http/cors/v3/cors';
import { file_envoy_extensions_filters_http_dynamic_forward_proxy_v3_dynamic_forward_proxy } from '@meltemi/envoy-api/envoy/extensions/filters/http/dynamic_forward_proxy/v3/dynamic_forward_proxy';
import { file_envoy_extensions_filters_http_fault_v3_fault } from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { file_envoy_extensions_filters_http_grpc_stats_v3_config } from '@meltemi/envoy-api/envoy/extensions/filters/http/grpc_stats/v3/config';
import { file_envoy_extensions_filters_http_grpc_web_v3_grpc_web } from '@meltemi/envoy-api/envoy/extensions/filters/http/grpc_web/v3/grpc_web';
import { file_envoy_extensions_filters_http_router_v3_router } from '@meltemi/envoy-api/envoy/extensions/filters/http/router/v3/router';
import { file_envoy_extensions_filters_listener_http_inspector_v3_http_inspector } from '@meltemi/envoy-api/envoy/extensions/filters/listener/http_inspector/v3/http_inspector';
import { file_envoy_extensions_filters_listener_original_dst_v3_original_dst } from '@meltemi/envoy-api/envoy/extensions/filters/listener/original_dst/v3/original_dst';
import { file_envoy_extensions_filters_listener_proxy_protocol_v3_proxy_protocol } from '@meltemi/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol';
import { file_envoy_extensions_filters_listener_tls_inspector_v3_tls_inspector } from '@meltemi/envoy-api/envoy/extensions/filters/listener/tls_inspector/v3/tls_inspector';
import { file_envoy_extensions_filters_network_http_connection_manager_v3_http_connection_manager } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { file_envoy_extensions_filters_network_sni_dynamic_forward_proxy_v3_sni_dynamic_forward_proxy } from '@meltemi/envoy-api/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy';
import { file_envoy_extensions_filters_network_tcp_proxy_v3_tcp_proxy } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import { file_envoy_extensions_filters_udp_dns_filter_v3_dns_filter } from '@meltemi/envoy-api/envoy/extensions/filters/udp/dns_filter/v3/dns_filter';
import { file_envoy_extensions_network_dns_resolver_cares_v3_cares_dns_resolver } from '@meltemi/envoy-api/envoy/extensions/network/dns_resolver/cares/v3/cares_dns_resolver';
import { file_envoy_extensions_request_id_uuid_v3_uuid } from '@meltemi/envoy-api/envoy/extensions/request_id/uuid/v3/uuid';
import { file_envoy_extensions_retry_host_previous_hosts_v3_previous_hosts } from '@meltemi/envoy-api/envoy/extensions/retry/host/previous_hosts/v3/previous_hosts';
import { file_envoy_extensions_retry_priority_previous_priorities_v3_previous_priorities_config } from '@meltemi/envoy-api/envoy/extensions/retry/priority/previous_priorities/v3/previous_priorities_config';
import { file_envoy_extensions_transport_sockets_proxy_protocol_v3_upstream_proxy_protocol } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol';
import { file_envoy_extensions_transport_sockets_raw_buffer_v3_raw_buffer } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/raw_buffer/v3/raw_buffer';
import { file_envoy_extensions_transport_sockets_tls_v3_secret } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/secret';
import { file_envoy_extensions_transport_sockets_tls_v3_tls } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import { file_envoy_extensions_upstreams_http_v3_http_protocol_options } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import { MemoEngine } from '../base/index.ts';
import { type MeshConfig, parseDocuments, readMeshConfig } from '../config/index.ts';
import { Mesh, type ProxyNode } from '../mesh/index.ts';
import { ConfigStore, Registry } from '../registry/index.ts';
import type { EncodedResource } from './encoded-resource.ts';
import type { ResourceType } from './resources/resource-kind.ts';
import { Translator } from './translator.ts';
import type { View } from './view.ts';

/** Every type that a resource of ours may hold. */
export const registry = createRegistry(
  file_envoy_config_cluster_v3_cluster,
  file_envoy_config_endpoint_v3_endpoint,
  file_envoy_config_listener_v3_listener,
  file_envoy_config_route_v3_route,
  file_envoy_extensions_access_loggers_file_v3_file,
  file_envoy_extensions_clusters_dynamic_forward_proxy_v3_cluster,
  file_envoy_extensions_filters_http_cors_v3_cors,
  file_envoy_extensions_filters_http_dynamic_forward_proxy_v3_dynamic_forward_proxy,
  file_envoy_extensions_filters_http_fault_v3_fault,
  file_envoy_extensions_filters_http_grpc_stats_v3_config,
  file_envoy_extensions_filters_http_grpc_web_v3_grpc_web,
  file_envoy_extensions_filters_http_router_v3_router,
  file_envoy_extensions_filters_listener_http_inspector_v3_http_inspector,
  file_envoy_extensions_filters_listener_original_dst_v3_original_dst,
  file_envoy_extensions_filters_listener_proxy_protocol_v3_proxy_protocol,
  file_envoy_extensions_filters_listener_tls_inspector_v3_tls_inspector,
  file_envoy_extensions_filters_network_http_connection_manager_v3_http_connection_manager,
  file_envoy_extensions_filters_network_sni_dynamic_forward_proxy_v3_sni_dynamic_forward_proxy,
  file_envoy_extensions_filters_network_tcp_proxy_v3_tcp_proxy,
  file_envoy_extensions_filters_udp_dns_filter_v3_dns_filter,
  file_envoy_extensions_network_dns_resolver_cares_v3_cares_dns_resolver,
  file_envoy_extensions_request_id_uuid_v3_uuid,
  file_envoy_extensions_retry_host_previous_hosts_v3_previous_hosts,
  file_envoy_extensions_retry_priority_previous_priorities_v3_previous_priorities_config,
  file_envoy_extensions_transport_sockets_proxy_protocol_v3_upstream_proxy_protocol,
  file_envoy_extensions_transport_sockets_raw_buffer_v3_raw_buffer,
  file_envoy_extensions_transport_sockets_tls_v3_secret,
  file_envoy_extensions_transport_sockets_tls_v3_tls,
  file_envoy_extensions_upstreams_http_v3_http_protocol_options,
);

export interface TestHead {
  readonly client?: Partial<ProxyNode> & { readonly locality?: string };
  readonly mesh?: unknown;
  /**
   * `cluster`, `cluster/NAME`, `route/9080 virtual_hosts.0.routes.0.route.timeout`: names of a type, one
   * resource, or a part of it.
   */
  readonly show: readonly string[];
}

export const testClient: ProxyNode = {
  id: 'sidecar~10.0.0.1~client.default~default.svc.cluster.local',
  type: 'sidecar',
  name: 'client',
  namespace: 'default',
  addresses: ['10.0.0.1'],
  labels: {},
  serviceAccount: 'default',
  clusterId: 'Kubernetes',
  locality: '',
  network: '',
  captured: true,
  applicationPorts: new Map(),
  httpProxyPort: 0,
};

export interface TestMesh {
  readonly engine: MemoEngine;
  readonly store: ConfigStore;
  readonly mesh: Mesh;
  readonly translator: Translator;
}

export function meshOfText(text: string, config: MeshConfig = {}): TestMesh {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain: 'cluster.local' });
  const { resources, issues } = parseDocuments(text, 'test.yaml');
  for (const issue of issues) if (issue.severity === 'error') throw new Error(issue.message);
  for (const resource of resources) store.put(resource);
  const mesh = new Mesh(engine, store, new Registry(engine, store), config);
  return { engine, store, mesh, translator: new Translator(engine, mesh) };
}

export function translateText(head: TestHead, text: string): Record<string, unknown> {
  const { translator } = meshOfText(text, readMeshConfig(head.mesh ?? {}).value ?? {});
  const view = translator.viewOf({ ...testClient, ...head.client });
  return Object.fromEntries(head.show.map((wanted) => [wanted, shown(translator, view, wanted)]));
}

/** A resource as JSON with the field names of the .proto files; undefined when there is none. */
export function resourceJson(
  translator: Translator,
  view: View,
  type: ResourceType,
  name: string,
): JsonValue | undefined {
  return encodedJson(translator.resource(type, view, name).get());
}

export function encodedJson(resource: EncodedResource | undefined): JsonValue | undefined {
  return (
    resource && toJson(AnySchema, fromBinary(AnySchema, resource.any), { registry, useProtoFieldName: true })
  );
}

function shown(translator: Translator, view: View, wanted: string): unknown {
  const [whole = '', path] = wanted.split(' ');
  const slash = whole.indexOf('/');
  if (slash < 0)
    return whole === 'cluster' || whole === 'listener' ? translator.names(whole, view).get() : undefined;
  const value = resourceJson(translator, view, whole.slice(0, slash) as ResourceType, whole.slice(slash + 1));
  return path === undefined ? value : pick(value, path.split('.'));
}

/** Follows a path; `*` collects the rest of the path from every item of a list. */
function pick(value: unknown, [step, ...rest]: readonly string[]): unknown {
  if (step === undefined || typeof value !== 'object' || value === null) return value ?? null;
  if (step === '*') return Object.values(value).map((item) => pick(item, rest));
  return pick((value as Readonly<Record<string, unknown>>)[step], rest);
}
