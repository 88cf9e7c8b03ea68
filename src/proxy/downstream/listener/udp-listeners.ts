// Listeners for datagrams, of which one kind is understood: name servers.
import { SocketAddress_Protocol } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import type { Listener } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { formatAddress, type HostPort, readAddress } from '../../net/address.ts';
import { readDnsFilter } from '../../plan/dns/dns-plan.ts';
import { DnsServer } from '../dns/dns-server.ts';

interface Entry {
  readonly bytes: Uint8Array;
  readonly address: HostPort;
  readonly server: DnsServer;
  readonly fixed: boolean;
}

export interface UdpSource {
  readonly name: string;
  readonly source: Listener;
  readonly bytes: Uint8Array;
  /** Of the bootstrap: discovery does not touch it. */
  readonly fixed: boolean;
}

export function isUdp(source: Listener): boolean {
  const address = source.address?.address;
  return address?.case === 'socketAddress' && address.value.protocol === SocketAddress_Protocol.UDP;
}

export class UdpListeners {
  readonly #entries = new Map<string, Entry>();
  readonly #log: (message: string) => void;

  constructor(log: (message: string) => void) {
    this.#log = log;
  }

  /** Returns why it is refused, if so. */
  apply({ name, source, bytes, fixed }: UdpSource): string | undefined {
    const before = this.#entries.get(name);
    if (before && ((before.fixed && !fixed) || Buffer.compare(before.bytes, bytes) === 0)) return undefined;
    const problems: string[] = [];
    const address = readAddress(source.address);
    const plan = planOf(source, problems);
    if (!address || !plan || problems.length > 0)
      return problems.join('; ') || 'no address that can be listened on';
    const stays =
      before &&
      formatAddress(before.address.ip, before.address.port) === formatAddress(address.ip, address.port);
    if (stays) before.server.update(plan);
    else before?.server.close();
    const server = stays
      ? before.server
      : new DnsServer({ address, plan, failed: (error) => this.#log(`listener ${name}: ${error.message}`) });
    this.#entries.set(name, { bytes, address, server, fixed });
    return undefined;
  }

  keep(names: ReadonlySet<string>): void {
    for (const [name, { fixed, server }] of this.#entries) {
      if (fixed || names.has(name)) continue;
      server.close();
      this.#entries.delete(name);
    }
  }

  close(): void {
    for (const { server } of this.#entries.values()) server.close();
    this.#entries.clear();
  }
}

function planOf(source: Listener, problems: string[]): ReturnType<typeof readDnsFilter> | undefined {
  const [filter, ...more] = source.listenerFilters;
  const any = filter?.configType.case === 'typedConfig' ? filter.configType.value : undefined;
  if (!any?.typeUrl.endsWith('.DnsFilterConfig') || more.length > 0) {
    problems.push('a UDP listener with other filters than dns_filter is not supported');
    return undefined;
  }
  return readDnsFilter(any.value, problems);
}
