// A listener for datagrams, of which one kind is understood: a name server.
import { SocketAddress_Protocol } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import type { Listener } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { type HostPort, readAddress } from '../../codec/address.ts';
import { type DnsPlan, planDnsFilter } from '../dns/dns-plan.ts';
import type { Planned } from '../planned.ts';

export interface UdpListenerPlan {
  readonly address: HostPort;
  readonly dns: DnsPlan;
}

export function isUdp(source: Listener): boolean {
  const address = source.address?.address;
  return address?.case === 'socketAddress' && address.value.protocol === SocketAddress_Protocol.UDP;
}

/** There is no plan for what is no name server. */
export function planUdpListener(source: Listener): Planned<UdpListenerPlan | undefined> {
  const problems: string[] = [];
  const address = readAddress(source.address);
  if (!address) problems.push('no address that can be listened on');
  const [filter, ...more] = source.listenerFilters;
  const any = filter?.configType.case === 'typedConfig' ? filter.configType.value : undefined;
  const isDns = any?.typeUrl.endsWith('.DnsFilterConfig') && more.length === 0;
  if (!isDns) problems.push('a UDP listener with other filters than dns_filter is not supported');
  const dns = any && isDns ? planDnsFilter(any.value, problems) : undefined;
  return { plan: address && dns && { address, dns }, problems };
}
