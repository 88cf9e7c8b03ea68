// An Envoy Listener as a plan: where it listens, what it looks at, which chains it has.
import { TrafficDirection } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import type { Listener } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { formatAddress, type HostPort, readAddress } from '../../codec/address.ts';
import { millis } from '../../codec/duration.ts';
import { type AccessLogPlan, planAccessLogs } from '../access-log/access-log-plan.ts';
import type { FilterCatalog } from '../filter-catalog.ts';
import type { Planned } from '../planned.ts';
import { listenerKeepAlive, planSocketOptions, type SocketOptionsPlan } from '../socket-options-plan.ts';
import { type ChainPlan, planChain } from './chain-plan.ts';
import { type ListenerFiltersPlan, noListenerFilters, planListenerFilters } from './listener-filters-plan.ts';

export interface ListenerPlan extends ListenerFiltersPlan {
  readonly name: string;
  /** The first of the addresses. */
  readonly address: HostPort;
  readonly addresses: readonly HostPort[];
  readonly bind: boolean;
  readonly direction: 'inbound' | 'outbound' | 'unspecified';
  /** Connections are handed to the listener of the address that they were meant for. */
  readonly handsOff: boolean;
  readonly inspectTimeout: number;
  readonly continueOnTimeout: boolean;
  readonly chains: readonly ChainPlan[];
  readonly defaultChain: ChainPlan | undefined;
  /** Of connections that no chain took. */
  readonly accessLogs: readonly AccessLogPlan[];
  readonly maxConnectionsBacklog: number;
  readonly socketOptions: SocketOptionsPlan | undefined;
  /** Where its counters stand. */
  readonly scope: string;
}

/** Without an address there is no plan. */
export function planListener(source: Listener, catalog: FilterCatalog): Planned<ListenerPlan | undefined> {
  const place = placeOf(source);
  if (!place) return { plan: undefined, problems: ['no address that can be listened on'] };
  const problems: string[] = [];
  const filters = planListenerFilters(source.listenerFilters, problems);
  const handsOff = source.useOriginalDst ?? false;
  const context = { catalog, outbound: source.trafficDirection === TrafficDirection.OUTBOUND };
  if (source.filterChains.length === 0 && !source.defaultFilterChain) problems.push('no filter chains');
  if (source.filterChainMatcher) problems.push('filter_chain_matcher is not supported');
  const plan: ListenerPlan = {
    ...place,
    ...filters,
    direction: directions[source.trafficDirection],
    handsOff,
    restoresDestination: handsOff || filters.restoresDestination,
    inspectTimeout: millis(source.listenerFiltersTimeout) ?? 15_000,
    continueOnTimeout: source.continueOnListenerFiltersTimeout,
    chains: source.filterChains.map((chain) => planChain(chain, context, problems)),
    defaultChain: source.defaultFilterChain && planChain(source.defaultFilterChain, context, problems),
    accessLogs: planAccessLogs(source.accessLog, problems),
    maxConnectionsBacklog: source.tcpBacklogSize ?? 4096,
    socketOptions: planSocketOptions(listenerKeepAlive(source.$unknown), source.socketOptions, problems),
  };
  return { plan, problems };
}

/** Listeners of a bootstrap may be without a name. */
export function listenerName(source: Listener): string {
  const [address] = addressesOf(source);
  return source.name || (address ? addressText(address) : '');
}

/**
 * Stands at the addresses of a listener that is not understood, and takes nobody; undefined where nobody can
 * be led to it.
 */
export function planClosedListener(source: Listener): ListenerPlan | undefined {
  const place = placeOf(source);
  if (!place || place.bind) return undefined;
  return {
    ...place,
    ...noListenerFilters,
    direction: 'unspecified',
    handsOff: false,
    restoresDestination: true,
    inspectTimeout: 0,
    continueOnTimeout: false,
    chains: [],
    defaultChain: undefined,
    accessLogs: [],
    maxConnectionsBacklog: 0,
    socketOptions: undefined,
  };
}

export function addressText({ ip, port, path }: HostPort): string {
  return path ?? formatAddress(ip, port);
}

const directions: Readonly<Record<TrafficDirection, ListenerPlan['direction']>> = {
  [TrafficDirection.UNSPECIFIED]: 'unspecified',
  [TrafficDirection.INBOUND]: 'inbound',
  [TrafficDirection.OUTBOUND]: 'outbound',
};

function addressesOf(source: Listener): readonly HostPort[] {
  return [source.address, ...source.additionalAddresses.map((one) => one.address)].flatMap(
    (one) => readAddress(one) ?? [],
  );
}

type Place = Pick<ListenerPlan, 'name' | 'address' | 'addresses' | 'bind' | 'scope'>;

function placeOf(source: Listener): Place | undefined {
  const addresses = addressesOf(source);
  const [address] = addresses;
  if (!address) return undefined;
  return {
    name: listenerName(source),
    address,
    addresses,
    bind: source.bindToPort ?? source.deprecatedV1?.bindToPort ?? true,
    scope: `listener.${source.statPrefix || addressText(address).replaceAll(':', '_')}`,
  };
}
