// Listeners for datagrams, of which one kind is understood: name servers.
import type { Listener } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import type { HostPort } from '../../codec/address.ts';
import { addressText } from '../../plan/listener/listener-plan.ts';
import { planUdpListener } from '../../plan/listener/udp-listener-plan.ts';
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
    const { plan, problems } = planUdpListener(source);
    if (!plan || problems.length > 0) return problems.join('; ');
    const { address, dns } = plan;
    const stays = before && addressText(before.address) === addressText(address);
    if (stays) before.server.update(dns);
    else before?.server.close();
    const server = stays
      ? before.server
      : new DnsServer({
          address,
          plan: dns,
          failed: (error) => this.#log(`listener ${name}: ${error.message}`),
        });
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
