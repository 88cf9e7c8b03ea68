// The proxy's bootstrap, as an agent of the mesh would write it for the case's workload.
import { clientAddress } from './addresses.ts';
import type { Client } from './case.ts';

export const adminPort = 15000;
export const secretsPort = 15009;
export const xdsPort = 15010;

export function bootstrapOf(client: Client): object {
  const ads = { ads: {}, resource_api_version: 'V3', initial_fetch_timeout: '0s' };
  return {
    admin: { address: socketAddress(adminPort) },
    node: nodeOf(client),
    dynamic_resources: {
      ads_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
      cds_config: ads,
      lds_config: ads,
    },
    static_resources: {
      clusters: [
        grpcCluster('xds', xdsPort),
        grpcCluster('sds-grpc', secretsPort),
        grpcCluster('xds-grpc', xdsPort),
      ],
    },
    layered_runtime: {
      layers: [
        { name: 'static', static_layer: { 're2.max_program_size.error_level': 32768 } },
        { name: 'admin', admin_layer: {} },
      ],
    },
  };
}

function nodeOf({
  kind,
  name = 'client',
  namespace = 'default',
  labels = {},
  serviceAccount = 'default',
  locality,
  metadata = {},
}: Client): object {
  const [region, zone, sub_zone] = locality?.split('/') ?? [];
  return {
    id: `${kind === 'gateway' ? 'router' : 'sidecar'}~${clientAddress}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    cluster: `${name}.${namespace}`,
    ...(locality === undefined ? {} : { locality: { region, zone, sub_zone } }),
    metadata: {
      NAMESPACE: namespace,
      LABELS: labels,
      ISTIO_VERSION: '1.32.0',
      CLUSTER_ID: 'Kubernetes',
      INSTANCE_IPS: clientAddress,
      NAME: name,
      SERVICE_ACCOUNT: serviceAccount,
      WORKLOAD_NAME: name,
      ...metadata,
    },
  };
}

function grpcCluster(name: string, port: number): object {
  const protocolOptions = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      [protocolOptions]: {
        '@type': `type.googleapis.com/${protocolOptions}`,
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: name,
      endpoints: [{ lb_endpoints: [{ endpoint: { address: socketAddress(port) } }] }],
    },
  };
}

function socketAddress(port: number): object {
  return { socket_address: { address: '127.0.0.1', port_value: port } };
}
