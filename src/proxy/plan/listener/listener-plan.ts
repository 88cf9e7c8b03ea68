// An Envoy Listener, compiled: where it listens, what it looks at, which chains it has and what each of them
// does.
import { fromBinary } from '@bufbuild/protobuf';
import { TrafficDirection } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import type { Listener } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import type {
  Filter,
  FilterChain,
  ListenerFilter,
  ListenerFilterChainMatchPredicate,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { ProxyProtocolSchema } from '@meltemi/envoy-api/envoy/extensions/filters/listener/proxy_protocol/v3/proxy_protocol';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { FilterConfigSchema as SniFilterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/sni_dynamic_forward_proxy/v3/sni_dynamic_forward_proxy';
import { type ChainMatch, compileChainMatch } from '../../decide/filter-chain.ts';
import { formatAddress, type HostPort, readAddress } from '../../net/address.ts';
import { millis } from '../../net/duration.ts';
import { compileSocketOptions, listenerKeepAlive, type SocketOptions } from '../../net/socket-options.ts';
import type { Stats } from '../../observe/stats.ts';
import { compileDownstreamTls, type DownstreamTls } from '../../tls/downstream-tls.ts';
import { HandshakeReport } from '../../tls/handshake-report.ts';
import type { SecretStore } from '../../tls/secret-store.ts';
import { compileHcm, type HcmConfig, type RouteSource } from '../http/manager-plan.ts';
import { readTcpProxy, type TcpConfig } from '../tcp/tcp-plan.ts';

export type ChainAction =
  | { readonly kind: 'http'; readonly http: HcmConfig }
  | { readonly kind: 'tcp'; readonly tcp: TcpConfig }
  | { readonly kind: 'none' };

export interface Chain {
  readonly name: string;
  readonly match: ChainMatch;
  readonly tls: DownstreamTls | undefined;
  readonly tlsTimeout: number;
  readonly action: ChainAction;
}

export type PortTest = (port: number) => boolean;

/** Whether an inspector runs, by destination port. */
export interface Inspectors {
  readonly tls: PortTest | undefined;
  readonly http: PortTest | undefined;
}

export interface ListenerConfig {
  readonly name: string;
  /** The first of the addresses. */
  readonly address: HostPort;
  readonly addresses: readonly HostPort[];
  readonly bind: boolean;
  readonly direction: 'inbound' | 'outbound' | 'unspecified';
  /** Connections are handed to the listener of the address that they were meant for. */
  readonly handsOff: boolean;
  readonly restoresDestination: boolean;
  /** Connections begin with the address of the client that they are for. */
  readonly proxyHeader: 'none' | 'required' | 'optional';
  readonly inspectors: Inspectors;
  readonly inspectTimeout: number;
  readonly continueOnTimeout: boolean;
  readonly chains: readonly Chain[];
  readonly defaultChain: Chain | undefined;
  readonly maxConnectionsBacklog: number;
  readonly socketOptions: SocketOptions | undefined;
  readonly handshakes: HandshakeReport;
  /** Where its counters stand. */
  readonly scope: string;
}

export interface ListenerContext {
  readonly stats: Stats;
  readonly secrets: SecretStore;
  readonly routes: RouteSource;
  readonly log: (level: 'info' | 'warn', message: string) => void;
  readonly now: () => number;
}

export function compileListener(
  source: Listener,
  context: ListenerContext,
  problems: string[],
): ListenerConfig | undefined {
  const addresses = addressesOf(source);
  const [address] = addresses;
  if (!address) {
    problems.push('no address that can be listened on');
    return undefined;
  }
  const filters = inspectorsOf(source.listenerFilters, problems);
  const outbound = source.trafficDirection === TrafficDirection.OUTBOUND;
  const chain = (one: FilterChain): Chain => compileChain(one, outbound, context, problems);
  if (source.filterChains.length === 0 && !source.defaultFilterChain) problems.push('no filter chains');
  const chains = source.filterChains.map(chain);
  const defaultChain = source.defaultFilterChain ? chain(source.defaultFilterChain) : undefined;
  return {
    ...placeOf(source, [address, ...addresses.slice(1)], context),
    direction: outbound
      ? 'outbound'
      : source.trafficDirection === TrafficDirection.INBOUND
        ? 'inbound'
        : 'unspecified',
    handsOff: source.useOriginalDst ?? false,
    restoresDestination: (source.useOriginalDst ?? false) || filters.restores,
    proxyHeader: filters.proxyHeader,
    inspectors: filters.inspectors,
    inspectTimeout: millis(source.listenerFiltersTimeout) ?? 15_000,
    continueOnTimeout: source.continueOnListenerFiltersTimeout,
    chains,
    defaultChain,
    maxConnectionsBacklog: source.tcpBacklogSize ?? 4096,
    socketOptions: compileSocketOptions(listenerKeepAlive(source.$unknown), source.socketOptions, problems),
  };
}

/** Listeners of a bootstrap may be without a name. */
export function listenerName(source: Listener): string {
  const [address] = addressesOf(source);
  return source.name || (address ? (address.path ?? formatAddress(address.ip, address.port)) : '');
}

/**
 * Stands at the addresses of a listener that is not understood, and takes nobody; undefined where nobody can
 * be led to it.
 */
export function closedListener(source: Listener, context: ListenerContext): ListenerConfig | undefined {
  const [address, ...more] = addressesOf(source);
  if (!address) return undefined;
  const place = placeOf(source, [address, ...more], context);
  if (place.bind) return undefined;
  return {
    ...place,
    direction: 'unspecified',
    handsOff: false,
    restoresDestination: true,
    proxyHeader: 'none',
    inspectors: { tls: undefined, http: undefined },
    inspectTimeout: 0,
    continueOnTimeout: false,
    chains: [],
    defaultChain: undefined,
    maxConnectionsBacklog: 0,
    socketOptions: undefined,
  };
}

function addressesOf(source: Listener): readonly HostPort[] {
  return [source.address, ...source.additionalAddresses.map((one) => one.address)].flatMap(
    (one) => readAddress(one) ?? [],
  );
}

type Place = Pick<ListenerConfig, 'name' | 'address' | 'addresses' | 'bind' | 'handshakes' | 'scope'>;

function placeOf(
  source: Listener,
  addresses: readonly [HostPort, ...HostPort[]],
  context: ListenerContext,
): Place {
  const [address] = addresses;
  const scope = `listener.${source.statPrefix || (address.path ?? formatAddress(address.ip, address.port)).replaceAll(':', '_')}`;
  return {
    name: listenerName(source),
    address,
    addresses,
    bind: source.bindToPort ?? source.deprecatedV1?.bindToPort ?? true,
    handshakes: new HandshakeReport({ ...context, scope }),
    scope,
  };
}

type Looks = Pick<ListenerConfig, 'inspectors' | 'proxyHeader'> & { readonly restores: boolean };

function inspectorsOf(list: readonly ListenerFilter[], problems: string[]): Looks {
  let tls: PortTest | undefined;
  let http: PortTest | undefined;
  let restores = false;
  let proxyHeader: ListenerConfig['proxyHeader'] = 'none';
  for (const filter of list) {
    const disabled = filter.filterDisabled ? portTest(filter.filterDisabled) : undefined;
    const enabled: PortTest = (port) => !disabled?.(port);
    if (filter.name.includes('tls_inspector')) tls = enabled;
    else if (filter.name.includes('http_inspector')) http = enabled;
    else if (filter.name.includes('original_dst')) restores = true;
    else if (filter.name.includes('proxy_protocol')) proxyHeader = readProxyFilter(filter);
    else problems.push(`listener filter ${filter.name} is not supported`);
  }
  return { inspectors: { tls, http }, restores, proxyHeader };
}

function readProxyFilter(filter: ListenerFilter): 'required' | 'optional' {
  const any = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
  const config = any && fromBinary(ProxyProtocolSchema, any.value);
  return config?.allowRequestsWithoutProxyProtocol ? 'optional' : 'required';
}

function portTest(predicate: ListenerFilterChainMatchPredicate): PortTest {
  const rule = predicate.rule;
  switch (rule.case) {
    case 'orMatch': {
      const tests = rule.value.rules.map(portTest);
      return (port) => tests.some((test) => test(port));
    }
    case 'andMatch': {
      const tests = rule.value.rules.map(portTest);
      return (port) => tests.every((test) => test(port));
    }
    case 'notMatch': {
      const test = portTest(rule.value);
      return (port) => !test(port);
    }
    case 'anyMatch':
      return () => rule.value;
    case 'destinationPortRange':
      return (port) => port >= rule.value.start && port < rule.value.end;
    default:
      return () => false;
  }
}

function compileChain(
  source: FilterChain,
  outbound: boolean,
  context: ListenerContext,
  problems: string[],
): Chain {
  return {
    name: source.name,
    match: compileChainMatch(source.filterChainMatch, problems),
    tls: compileDownstreamTls(source.transportSocket, context.secrets, problems),
    tlsTimeout: millis(source.transportSocketConnectTimeout) ?? 15_000,
    action: actionOf(source.filters, outbound, context, problems),
  };
}

/** Network filters that only observe what passes. */
const observers =
  /(mongo_proxy|MongoProxy|metadata_exchange|MetadataExchange|istio\.stats|stats_tcp|mysql_proxy|MySQLProxy|postgres_proxy|kafka_broker|zookeeper_proxy|set_filter_state|stackdriver)/;

function actionOf(
  filters: readonly Filter[],
  outbound: boolean,
  context: ListenerContext,
  problems: string[],
): ChainAction {
  let dynamicPort: number | undefined;
  for (const filter of filters) {
    const any = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
    const type = any?.typeUrl.slice(any.typeUrl.lastIndexOf('.') + 1) ?? filter.name;
    if (any && type === 'HttpConnectionManager')
      return {
        kind: 'http',
        http: compileHcm(
          fromBinary(HttpConnectionManagerSchema, any.value),
          { stats: context.stats, outbound, routes: context.routes },
          problems,
        ),
      };
    if (any?.typeUrl.includes('.sni_dynamic_forward_proxy.')) {
      const { portSpecifier: port } = fromBinary(SniFilterSchema, any.value);
      dynamicPort = port.case === 'portValue' ? port.value : 443;
    } else if (any && type === 'TcpProxy')
      return { kind: 'tcp', tcp: readTcpProxy(any.value, { stats: context.stats, dynamicPort }, problems) };
    else if (!observers.test(filter.name) && !observers.test(type))
      problems.push(`network filter ${filter.name} is not supported`);
  }
  return { kind: 'none' };
}
