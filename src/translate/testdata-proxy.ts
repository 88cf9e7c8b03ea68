// For tests: everything that one proxy gets, as it would ask for it: clusters and listeners, the endpoints
// and routes that these name.
import { fromBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { Cluster_DiscoveryType, ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import type { EncodedResource } from './encoded-resource.ts';
import type { ResourceType } from './resources/resource-kind.ts';
import type { Translator } from './translator.ts';
import type { View } from './view.ts';

/** By `type/name`. */
export type ProxyResources = ReadonlyMap<string, EncodedResource>;

export function proxyResources(translator: Translator, view: View): ProxyResources {
  const found = new Map<string, EncodedResource>();
  const ask = (type: ResourceType, name: string): EncodedResource | undefined => {
    const resource = translator.resource(type, view, name).get();
    if (resource) found.set(`${type}/${name}`, resource);
    return resource;
  };
  for (const type of ['cluster', 'listener'] as const) {
    for (const name of translator.names(type, view).get()) {
      const resource = ask(type, name);
      for (const [next, of] of resource ? named(type, resource) : []) ask(next, of);
    }
  }
  return found;
}

type Names = readonly (readonly [ResourceType, string])[];

const known = new WeakMap<EncodedResource, Names>();

/** What a cluster or listener asks its proxy to ask for. */
function named(type: 'cluster' | 'listener', resource: EncodedResource): Names {
  let names = known.get(resource);
  if (!names) {
    const { value } = fromBinary(AnySchema, resource.any);
    names = type === 'cluster' ? namedByCluster(value) : namedByListener(value);
    known.set(resource, names);
  }
  return names;
}

function namedByCluster(bytes: Uint8Array): Names {
  const { name, clusterDiscoveryType: type, edsClusterConfig } = fromBinary(ClusterSchema, bytes);
  return type.case === 'type' && type.value === Cluster_DiscoveryType.EDS
    ? [['endpoint', edsClusterConfig?.serviceName || name]]
    : [];
}

function namedByListener(bytes: Uint8Array): Names {
  const { filterChains, defaultFilterChain } = fromBinary(ListenerSchema, bytes);
  return [...filterChains, ...(defaultFilterChain ? [defaultFilterChain] : [])]
    .flatMap((chain) => chain.filters)
    .flatMap(({ configType }) => {
      if (
        configType.case !== 'typedConfig' ||
        !configType.value.typeUrl.endsWith(HttpConnectionManagerSchema.typeName)
      )
        return [];
      const { routeSpecifier } = fromBinary(HttpConnectionManagerSchema, configType.value.value);
      return routeSpecifier.case === 'rds' ? [['route', routeSpecifier.value.routeConfigName] as const] : [];
    });
}
