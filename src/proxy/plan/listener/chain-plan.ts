// A filter chain as a plan: which connections it takes, TLS, and what its network filters end in.
import { fromBinary } from '@bufbuild/protobuf';
import type { Filter, FilterChain } from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { FilterConfigSchema as SniFilterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy';
import { millis } from '../../codec/duration.ts';
import type { Kinded } from '../filter-catalog.ts';
import { type ManagerContext, type ManagerPlan, planManager } from '../http/manager-plan.ts';
import { planTcpProxy, type TcpProxyPlan } from '../tcp/tcp-plan.ts';
import { type DownstreamTlsPlan, planDownstreamTls } from '../tls/downstream-tls-plan.ts';
import { type ChainMatch, planChainMatch } from './chain-match.ts';

export type ChainActionPlan =
  | { readonly kind: 'http'; readonly manager: ManagerPlan; readonly guards: readonly Kinded[] }
  | { readonly kind: 'tcp'; readonly tcp: TcpProxyPlan; readonly guards: readonly Kinded[] }
  | { readonly kind: 'none' };

export interface ChainPlan {
  readonly name: string;
  readonly match: ChainMatch;
  readonly tls: DownstreamTlsPlan | undefined;
  readonly tlsTimeout: number;
  readonly action: ChainActionPlan;
}

export function planChain(source: FilterChain, context: ManagerContext, problems: string[]): ChainPlan {
  return {
    name: source.name,
    match: planChainMatch(source.filterChainMatch, problems),
    tls: planDownstreamTls(source.transportSocket, problems),
    tlsTimeout: millis(source.transportSocketConnectTimeout) ?? 15_000,
    action: planAction(source.filters, context, problems),
  };
}

/** The name of the route configuration that is to be asked for, where there is one. */
export function routesWanted({ action }: ChainPlan): string | undefined {
  if (action.kind !== 'http') return undefined;
  const { routes } = action.manager;
  return routes.kind === 'named' ? routes.name : undefined;
}

/** Network filters that only observe what passes. */
const observers =
  /(mongo_proxy|MongoProxy|metadata_exchange|MetadataExchange|istio\.stats|stats_tcp|mysql_proxy|MySQLProxy|postgres_proxy|kafka_broker|zookeeper_proxy|set_filter_state|stackdriver)/;

function planAction(
  filters: readonly Filter[],
  context: ManagerContext,
  problems: string[],
): ChainActionPlan {
  let dynamicPort: number | undefined;
  const guards: Kinded[] = [];
  for (const filter of filters) {
    const any = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
    const type = any?.typeUrl.slice(any.typeUrl.lastIndexOf('.') + 1) ?? filter.name;
    if (any && type === 'HttpConnectionManager')
      return {
        kind: 'http',
        guards,
        manager: planManager(fromBinary(HttpConnectionManagerSchema, any.value), context, problems),
      };
    if (any && type === 'TcpProxy')
      return { kind: 'tcp', guards, tcp: planTcpProxy(any.value, dynamicPort, problems) };
    const guard = any && context.catalog.network(any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1));
    if (guard) guards.push(guard(any.value, problems));
    else if (any?.typeUrl.includes('.sni_dynamic_forward_proxy.')) dynamicPort = sniPort(any.value);
    else if (!observers.test(filter.name) && !observers.test(type))
      problems.push(`network filter ${filter.name} is not supported`);
  }
  return { kind: 'none' };
}

function sniPort(bytes: Uint8Array): number {
  const { portSpecifier: port } = fromBinary(SniFilterSchema, bytes);
  return port.case === 'portValue' ? port.value : 443;
}
