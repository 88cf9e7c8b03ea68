// Name resolution for DNS clusters: what /etc/resolv.conf's servers say, with the time it may be kept.
import dns from 'node:dns/promises';
import net from 'node:net';
import type { DnsFamily } from '../plan/cluster/dns-family.ts';

export interface Answer {
  readonly addresses: readonly string[];
  /** The smallest time to live. */
  readonly ttlMs: number;
}

/** Resolves to undefined when the lookup failed; an answer without addresses means that the name has none. */
export type Resolve = (name: string, family: DnsFamily) => Promise<Answer | undefined>;

export function systemResolve(): Resolve {
  const resolver = new dns.Resolver({ timeout: 5000, tries: 2 });
  const one = async (name: string, version: 4 | 6): Promise<Answer | undefined> => {
    try {
      const records =
        version === 4
          ? await resolver.resolve4(name, { ttl: true })
          : await resolver.resolve6(name, { ttl: true });
      return {
        addresses: records.map((record) => record.address),
        ttlMs: Math.min(...records.map((record) => record.ttl), 3600) * 1000,
      };
    } catch (error) {
      const code = (error as { code?: string }).code;
      return code === 'ENODATA' || code === 'ENOTFOUND' ? { addresses: [], ttlMs: 5000 } : undefined;
    }
  };
  return async (name, family) => {
    if (net.isIP(name)) return { addresses: [name], ttlMs: 3_600_000 };
    if (!name.includes('.')) return hostsFile(name, family);
    if (family === 'v4') return one(name, 4);
    if (family === 'v6') return one(name, 6);
    const [v4, v6] = await Promise.all([one(name, 4), one(name, 6)]);
    if (!v4 || !v6) return v4 ?? v6;
    if (family === 'all')
      return { addresses: [...v4.addresses, ...v6.addresses], ttlMs: Math.min(v4.ttlMs, v6.ttlMs) };
    const [first, second] = family === 'auto' ? [v6, v4] : [v4, v6];
    return first.addresses.length > 0 ? first : second;
  };
}

/** Of `dns.lookup`, where 0 is any. */
const lookupFamilies: Partial<Record<DnsFamily, 4 | 6>> = { v4: 4, v6: 6 };

/** Names such as `localhost` are in the hosts file only. */
async function hostsFile(name: string, family: DnsFamily): Promise<Answer | undefined> {
  try {
    const found = await dns.lookup(name, {
      all: true,
      family: lookupFamilies[family] ?? 0,
    });
    return { addresses: found.map((one) => one.address), ttlMs: 60_000 };
  } catch {
    return { addresses: [], ttlMs: 5000 };
  }
}
