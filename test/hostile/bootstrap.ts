// Bootstraps for both proxies: one JSON, static listeners before static clusters, every part open to a test's
// own fields.

export type Json = Readonly<Record<string, unknown>>;

export interface ListenerParts {
  readonly port: number;
  /** Of its virtual host; by default `/admin` is denied and the rest goes to `cluster`. */
  readonly routes?: readonly Json[];
  readonly cluster?: string;
  /** Further fields of the HTTP connection manager. */
  readonly manager?: Json;
  /** HTTP filters before the router. */
  readonly filters?: readonly Json[];
  readonly transportSocket?: Json;
  /** Further fields of the listener. */
  readonly fields?: Json;
  /** In place of the HTTP connection manager. */
  readonly networkFilter?: Json;
}

export interface BootstrapParts {
  readonly adminPort: number;
  readonly listeners: readonly ListenerParts[];
  readonly clusters: readonly Json[];
}

const type = (name: string): string => `type.googleapis.com/envoy.${name}`;

export function typed(name: string, message: string, fields: Json = {}): Json {
  return { name, typed_config: { '@type': type(message), ...fields } };
}

export function bootstrap({ adminPort, listeners, clusters }: BootstrapParts): Json {
  return {
    node: { id: 'sidecar~127.0.0.1~x.default~default.svc.cluster.local', cluster: 'c' },
    admin: { address: address(adminPort) },
    static_resources: { listeners: listeners.map(listener), clusters },
  };
}

/** A gateway labelled `istio: ingress` that takes everything from a pilot on loopback. */
export function gatewayBootstrap(api: 'GRPC' | 'DELTA_GRPC', adminPort: number, xdsPort: number): Json {
  const ads = { ads: {}, resource_api_version: 'V3' };
  return {
    node: {
      id: 'router~127.0.0.1~gw.default~default.svc.cluster.local',
      cluster: 'gw',
      metadata: { NAMESPACE: 'default', LABELS: { istio: 'ingress' } },
    },
    admin: { address: address(adminPort) },
    dynamic_resources: {
      ads_config: {
        api_type: api,
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: { clusters: [cluster('xds', xdsPort, http2())] },
  };
}

/** A cluster of one host on loopback. */
export function cluster(name: string, port: number, fields: Json = {}): Json {
  const endpoint = { endpoint: { address: address(port) } };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [endpoint] }] },
    ...fields,
  };
}

/** Fields of a cluster whose hosts speak HTTP/2. */
export function http2(options: Json = {}, common: Json = {}): Json {
  const name = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    typed_extension_protocol_options: {
      [name]: {
        '@type': `type.googleapis.com/${name}`,
        explicit_http_config: { http2_protocol_options: options },
        ...(Object.keys(common).length > 0 ? { common_http_protocol_options: common } : {}),
      },
    },
  };
}

export function routeTo(clusterName: string, action: Json = {}, match: Json = { prefix: '/' }): Json {
  return { match, route: { cluster: clusterName, timeout: '0s', ...action } };
}

function listener(parts: ListenerParts): Json {
  const { port, transportSocket, networkFilter, fields } = parts;
  const chain = {
    filters: [networkFilter ?? manager(parts)],
    ...(transportSocket ? { transport_socket: transportSocket } : {}),
  };
  return { name: `l${port}`, address: address(port), filter_chains: [chain], ...fields };
}

function manager({ routes, cluster: name = 'up', manager: further, filters = [] }: ListenerParts): Json {
  const denied = {
    match: { prefix: '/admin' },
    direct_response: { status: 403, body: { inline_string: 'denied' } },
  };
  const virtualHost = { name: 'all', domains: ['*'], routes: routes ?? [denied, routeTo(name)] };
  return typed(
    'envoy.filters.network.http_connection_manager',
    'extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    {
      stat_prefix: 'in',
      proxy_100_continue: true,
      upgrade_configs: [{ upgrade_type: 'websocket' }],
      stream_idle_timeout: '0s',
      normalize_path: true,
      path_with_escaped_slashes_action: 'KEEP_UNCHANGED',
      use_remote_address: true,
      server_name: 'istio-envoy',
      http_protocol_options: {},
      forward_client_cert_details: 'SANITIZE_SET',
      set_current_client_cert_details: { subject: true, dns: true, uri: true },
      generate_request_id: false,
      route_config: { name: 'r', virtual_hosts: [virtualHost] },
      http_filters: [
        ...filters,
        typed('envoy.filters.http.router', 'extensions.filters.http.router.v3.Router'),
      ],
      ...further,
    },
  );
}

function address(port: number): Json {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
