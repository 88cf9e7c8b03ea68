// Which filter chain of a listener takes a connection. A pure decision, in Envoy's order of criteria, never
// going back to a wider one.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener_components.proto#config-listener-v3-filterchainmatch
import { addressBytes, inPrefix, type Prefix } from '../net/address.ts';
import type { ChainMatch } from '../plan/listener/chain-match.ts';

export interface ConnectionFacts {
  readonly destinationIp: string;
  readonly destinationPort: number;
  readonly sourceIp: string;
  readonly sourcePort: number;
  /** Lower case. */
  readonly serverName: string | undefined;
  readonly transportProtocol: 'tls' | 'raw_buffer';
  readonly applicationProtocols: readonly string[];
}

/** How well a chain fits one criterion: below 0 not at all, 0 by not asking, more for the more specific. */
type Fit = (match: ChainMatch, facts: Prepared) => number;

interface Prepared extends ConnectionFacts {
  readonly destinationBytes: readonly number[];
  readonly sourceBytes: readonly number[];
  readonly local: boolean;
}

const criteria: readonly Fit[] = [
  (match, facts) =>
    match.destinationPort === undefined ? 0 : match.destinationPort === facts.destinationPort ? 1 : -1,
  (match, facts) => longest(match.destinations, facts.destinationBytes),
  (match, facts) => serverNameFit(match.serverNames, facts.serverName),
  (match, facts) =>
    match.transportProtocol === '' ? 0 : match.transportProtocol === facts.transportProtocol ? 1 : -1,
  (match, facts) => protocolFit(match.applicationProtocols, facts.applicationProtocols),
  (match, facts) => longest(match.directSources, facts.sourceBytes),
  (match, facts) =>
    match.sourceType === 'any' ? 0 : (match.sourceType === 'local') === facts.local ? 1 : -1,
  (match, facts) => longest(match.sources, facts.sourceBytes),
  (match, facts) =>
    match.sourcePorts.length === 0 ? 0 : match.sourcePorts.includes(facts.sourcePort) ? 1 : -1,
];

export function chooseChain<C extends { readonly match: ChainMatch }>(
  chains: readonly C[],
  facts: ConnectionFacts,
): C | undefined {
  const sourceBytes = addressBytes(facts.sourceIp);
  const prepared: Prepared = {
    ...facts,
    destinationBytes: addressBytes(facts.destinationIp),
    sourceBytes,
    local: facts.sourceIp === facts.destinationIp || sourceBytes[0] === 127 || facts.sourceIp === '::1',
  };
  let left = chains;
  for (const fit of criteria) {
    let best = -1;
    const fits = left.map((chain) => {
      const value = fit(chain.match, prepared);
      if (value > best) best = value;
      return value;
    });
    if (best < 0) return undefined;
    left = left.filter((_, index) => fits[index] === best);
  }
  return left[0];
}

function longest(prefixes: readonly Prefix[], address: readonly number[]): number {
  if (prefixes.length === 0) return 0;
  let best = -1;
  for (const prefix of prefixes)
    if (prefix.length + 1 > best && inPrefix(address, prefix)) best = prefix.length + 1;
  return best;
}

function serverNameFit(names: readonly string[], name: string | undefined): number {
  if (names.length === 0) return 0;
  if (name === undefined) return -1;
  let best = -1;
  for (const one of names) {
    if (one === name) return 10_000;
    if (one.startsWith('*.') && name.endsWith(one.slice(1)) && name.length > one.length - 1)
      best = Math.max(best, one.length);
  }
  return best;
}

/** The client's protocols are tried in the client's order. */
function protocolFit(wanted: readonly string[], offered: readonly string[]): number {
  if (wanted.length === 0) return 0;
  const at = offered.findIndex((protocol) => wanted.includes(protocol));
  return at < 0 ? -1 : 1000 - at;
}
