// Serves the resources that another control plane sent for the case, to test a proxy without this project's
// pilot.
import { type DescMessage, fromJson, type JsonValue, type MessageShape } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { knownTypes } from '../../../src/proxy/index.ts';
import { xdsPort } from '../bootstrap.ts';
import { type DiscoveryServer, startDiscoveryServer } from './discovery-server.ts';

type Json = { readonly [key: string]: JsonValue };
type Recorded = Readonly<Partial<Record<'listeners' | 'clusters' | 'routes' | 'endpoints', readonly Json[]>>>;
interface Named {
  readonly name: string;
  readonly any: Any;
}

export function startRecordedServer(json: string): Promise<DiscoveryServer> {
  const served = readRecorded(JSON.parse(json) as Recorded);
  return startDiscoveryServer({
    address: `127.0.0.1:${xdsPort}`,
    path: '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
    resources: ({ typeUrl, resourceNames }) => {
      const wanted = new Set(resourceNames);
      return (served.get(typeUrl) ?? [])
        .filter(({ name }) => wanted.size === 0 || wanted.has(name))
        .map(({ any }) => any);
    },
  });
}

function readRecorded({
  listeners = [],
  clusters = [],
  routes = [],
  endpoints = [],
}: Recorded): ReadonlyMap<string, readonly Named[]> {
  const watched = new Set(
    clusters.filter((cluster) => cluster['outlier_detection']).map((cluster) => cluster['name']),
  );
  const read = <Desc extends DescMessage>(
    schema: Desc,
    list: readonly Json[],
    name: (message: MessageShape<Desc>) => string,
  ) =>
    [
      `type.googleapis.com/${schema.typeName}`,
      list.map((json) => {
        const message = fromJson(schema, json, { registry: knownTypes, ignoreUnknownFields: true });
        return { name: name(message), any: anyPack(schema, message) };
      }),
    ] as const;
  return new Map<string, readonly Named[]>([
    read(ListenerSchema, listeners, (message) => message.name),
    read(ClusterSchema, clusters, (message) => message.name),
    read(RouteConfigurationSchema, routes, (message) => message.name),
    read(
      ClusterLoadAssignmentSchema,
      endpoints.map((one) => (watched.has(one['cluster_name'] ?? null) ? withoutEjections(one) : one)),
      (message) => message.clusterName,
    ),
  ]);
}

/**
 * The recording has the health at the case's end; what the recorded proxy ejected was not its control plane's
 * word.
 */
function withoutEjections(json: Json): Json {
  const text = JSON.stringify(json, (key, value: unknown) => (key === 'health_status' ? 'HEALTHY' : value));
  return JSON.parse(text) as Json;
}
