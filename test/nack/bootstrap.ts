// Resources of many proxies as static resources of one Envoy, with nothing left to be asked for: routes stand
// in the listeners and endpoints in the clusters, so that Envoy looks at all of it.
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { BootstrapSchema } from '@meltemi/envoy-api/envoy/config/bootstrap/v3/bootstrap';
import {
  type Cluster,
  Cluster_DiscoveryType,
  ClusterSchema,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import type { TransportSocket } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { ApiConfigSource_ApiType, ApiVersion } from '@meltemi/envoy-api/envoy/config/core/v3/config_source';
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { ProxyProtocolUpstreamTransportSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/proxy_protocol/v3/upstream_proxy_protocol';
import { UpstreamTlsContextSchema } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/tls';
import type { EncodedResource } from '../../src/translate/index.ts';
import { localSecret } from '../../src/translate/secrets.ts';
import type { ProxyResources } from '../../src/translate/testdata-proxy.ts';

/** One cluster or listener, with all that it names. */
export interface Item {
  readonly seed: number;
  readonly proxy: string;
  readonly name: string;
  readonly resource:
    | { readonly kind: 'cluster'; readonly cluster: Cluster }
    | { readonly kind: 'listener'; readonly listener: Listener };
}

export function itemsOf(seed: number, proxy: string, resources: ProxyResources): readonly Item[] {
  return [...resources].flatMap(([key, resource]): Item[] => {
    const name = resource.name;
    if (key.startsWith('cluster/'))
      return [
        { seed, proxy, name, resource: { kind: 'cluster', cluster: wholeCluster(resource, resources) } },
      ];
    if (key.startsWith('listener/'))
      return [
        { seed, proxy, name, resource: { kind: 'listener', listener: wholeListener(resource, resources) } },
      ];
    return [];
  });
}

function bytesOf(resource: EncodedResource): Uint8Array {
  return fromBinary(AnySchema, resource.any).value;
}

function wholeCluster(resource: EncodedResource, resources: ProxyResources): Cluster {
  const cluster = fromBinary(ClusterSchema, bytesOf(resource));
  const endpoints = resources.get(`endpoint/${cluster.edsClusterConfig?.serviceName || cluster.name}`);
  if (cluster.clusterDiscoveryType.value !== Cluster_DiscoveryType.EDS) return cluster;
  cluster.clusterDiscoveryType = { case: 'type', value: Cluster_DiscoveryType.STATIC };
  cluster.edsClusterConfig = undefined;
  cluster.loadAssignment = endpoints && fromBinary(ClusterLoadAssignmentSchema, bytesOf(endpoints));
  return cluster;
}

function wholeListener(resource: EncodedResource, resources: ProxyResources): Listener {
  const listener = fromBinary(ListenerSchema, bytesOf(resource));
  for (const chain of [
    ...listener.filterChains,
    ...(listener.defaultFilterChain ? [listener.defaultFilterChain] : []),
  ]) {
    for (const { configType } of chain.filters) {
      if (
        configType.case === 'typedConfig' &&
        configType.value.typeUrl.endsWith(HttpConnectionManagerSchema.typeName)
      )
        configType.value = withRoutes(configType.value, resources);
    }
  }
  return listener;
}

function withRoutes(config: Any, resources: ProxyResources): Any {
  const manager = fromBinary(HttpConnectionManagerSchema, config.value);
  if (manager.routeSpecifier.case === 'rds') {
    const name = manager.routeSpecifier.value.routeConfigName;
    manager.routeSpecifier = { case: 'routeConfig', value: routesOf(resources.get(`route/${name}`), name) };
  }
  return create(AnySchema, {
    typeUrl: config.typeUrl,
    value: toBinary(HttpConnectionManagerSchema, manager),
  });
}

function routesOf(resource: EncodedResource | undefined, name: string): RouteConfiguration {
  return resource
    ? fromBinary(RouteConfigurationSchema, bytesOf(resource))
    : create(RouteConfigurationSchema, { name });
}

/**
 * Names and addresses are made different: in truth each proxy has them to itself. What coincides inside one
 * proxy is looked for elsewhere.
 */
export function bootstrapOf(items: readonly Item[]): Uint8Array {
  const clusters = items.flatMap(({ resource }, i) =>
    resource.kind === 'cluster' ? [renamed(resource.cluster, i)] : [],
  );
  const listeners = items.flatMap(({ resource }, i) =>
    resource.kind === 'listener' ? [moved(resource.listener, i)] : [],
  );
  const ads = { envoyGrpc: 'sds-grpc' };
  return toBinary(
    BootstrapSchema,
    create(BootstrapSchema, {
      node: { id: 'nack', cluster: 'nack' },
      // As in the bootstrap of Istio's proxies; Envoy's own limit for regular expressions is 100.
      layeredRuntime: {
        layers: [
          {
            name: 'static',
            layerSpecifier: { case: 'staticLayer', value: { 're2.max_program_size.error_level': 32_768 } },
          },
        ],
      },
      dynamicResources: {
        adsConfig: {
          apiType: ApiConfigSource_ApiType.GRPC,
          transportApiVersion: ApiVersion.V3,
          grpcServices: [{ targetSpecifier: { case: 'envoyGrpc', value: { clusterName: ads.envoyGrpc } } }],
        },
      },
      staticResources: { clusters: [secretService(), ...clusters], listeners },
    }),
  );
}

function secretService(): Cluster {
  return create(ClusterSchema, {
    name: 'sds-grpc',
    clusterDiscoveryType: { case: 'type', value: Cluster_DiscoveryType.STATIC },
    connectTimeout: { seconds: 1n },
    http2ProtocolOptions: {},
  });
}

function renamed(cluster: Cluster, i: number): Cluster {
  const { transportSocket, transportSocketMatches } = cluster;
  return {
    ...cluster,
    name: `${i} ${cluster.name}`,
    transportSocket: transportSocket && withoutAds(transportSocket),
    transportSocketMatches: transportSocketMatches.map((match) => ({
      ...match,
      transportSocket: match.transportSocket && withoutAds(match.transportSocket),
    })),
  };
}

/**
 * A static cluster is made before the stream that its secrets would come by; Envoy 1.40 crashes when asked
 * to.
 */
function withoutAds(socket: TransportSocket): TransportSocket {
  const config = socket.configType.value;
  if (config?.typeUrl.endsWith(ProxyProtocolUpstreamTransportSchema.typeName)) {
    const wrapper = fromBinary(ProxyProtocolUpstreamTransportSchema, config.value);
    wrapper.transportSocket &&= withoutAds(wrapper.transportSocket);
    return withConfig(socket, config, toBinary(ProxyProtocolUpstreamTransportSchema, wrapper));
  }
  if (!config?.typeUrl.endsWith(UpstreamTlsContextSchema.typeName)) return socket;
  const context = fromBinary(UpstreamTlsContextSchema, config.value);
  const common = context.commonTlsContext;
  const validation =
    common?.validationContextType.case === 'combinedValidationContext'
      ? common.validationContextType.value
      : undefined;
  const own = validation?.validationContextSdsSecretConfig;
  for (const secret of [...(common?.tlsCertificateSdsSecretConfigs ?? []), ...(own ? [own] : [])])
    secret.sdsConfig = localSecret('').sdsConfig;
  return withConfig(socket, config, toBinary(UpstreamTlsContextSchema, context));
}

function withConfig(socket: TransportSocket, { typeUrl }: Any, value: Uint8Array): TransportSocket {
  return { ...socket, configType: { case: 'typedConfig', value: create(AnySchema, { typeUrl, value }) } };
}

function moved(listener: Listener, i: number): Listener {
  const address = listener.address?.address;
  if (address?.case === 'pipe')
    return {
      ...listener,
      name: `${i} ${listener.name}`,
      address: {
        ...listener.address,
        address: { ...address, value: { ...address.value, path: `${address.value.path}${i}` } },
      } as Listener['address'],
    };
  if (address?.case !== 'socketAddress') return listener;
  // The address stays what it is in kind; only the port is a free one.
  const own = `127.${1 + Math.floor(i / 65_536)}.${Math.floor(i / 256) % 256}.${i % 256}`;
  const value = {
    ...address.value,
    address: address.value.address.includes(':') ? `fd00::${i.toString(16)}` : own,
  };
  return {
    ...listener,
    name: `${i} ${listener.name}`,
    address: { ...listener.address, address: { case: 'socketAddress', value } } as Listener['address'],
  };
}
