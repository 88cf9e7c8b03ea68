// The routes that plain HTTP on a port of the gateway meets: what the gateway's proxy is sent, read as it reads it.
import { fromBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import {
  type RouteConfiguration,
  RouteConfigurationSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route';
import type { Origin } from '../../base/index.ts';
import type { ProxyNode } from '../../mesh/index.ts';
import {
  type ConnectionFacts,
  decideChain,
  filterCatalog,
  planListener,
  planRoutes,
  RouteTable,
  routesWanted,
} from '../../proxy/pure.ts';
import type { Translator } from '../../translate/index.ts';

export interface GatewayRoutes {
  readonly source: RouteConfiguration;
  readonly table: RouteTable;
  readonly hasCluster: (name: string) => boolean;
  /** Where an element comes from, by its path in the message: `virtual_hosts[0].routes[1]`. */
  readonly originsOf: (path: string) => readonly Origin[];
}

/** Undefined when nothing there takes HTTP in the clear. */
export function gatewayRoutes(
  translator: Translator,
  node: ProxyNode,
  port: number,
): GatewayRoutes | undefined {
  const view = translator.view(node).get();
  const bytesOf = (type: 'listener' | 'route' | 'cluster', name: string): Uint8Array | undefined => {
    const resource = translator.resource(type, view, name).get();
    return resource && fromBinary(AnySchema, resource.any).value;
  };
  const listeners = translator
    .names('listener', view)
    .get()
    .flatMap((name) => {
      const bytes = bytesOf('listener', name);
      return bytes ? [fromBinary(ListenerSchema, bytes)] : [];
    });
  const name = listeners.map((source) => routesAt(source, port)).find((found) => found !== undefined);
  const bytes = name === undefined ? undefined : bytesOf('route', name);
  if (name === undefined || !bytes) return undefined;
  const origins = new Map(translator.origins('route', view, name).map((element) => [element.path, element]));
  const source = fromBinary(RouteConfigurationSchema, bytes);
  return {
    source,
    table: new RouteTable(planRoutes(source, filterCatalog).plan),
    hasCluster: (cluster) => bytesOf('cluster', cluster) !== undefined,
    originsOf: (path) => origins.get(path)?.origins ?? [],
  };
}

function routesAt(source: Listener, port: number): string | undefined {
  const { plan, problems } = planListener(source, filterCatalog);
  if (!plan || problems.length > 0 || plan.address.port !== port) return undefined;
  const { chosen } = decideChain(plan.chains, plan.defaultChain, {
    ...plainConnection,
    destinationPort: port,
  });
  return chosen && !chosen.tls ? routesWanted(chosen) : undefined;
}

const plainConnection: ConnectionFacts = {
  destinationIp: '127.0.0.1',
  destinationPort: 0,
  sourceIp: '127.0.0.1',
  sourcePort: 40_000,
  serverName: undefined,
  transportProtocol: 'raw_buffer',
  applicationProtocols: [],
};
