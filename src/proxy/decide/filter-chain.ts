// Which filter chain of a listener takes a connection. A pure decision, in Envoy's order of criteria, never
// going back to a wider one.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener_components.proto#config-listener-v3-filterchainmatch
import { unreachable } from '../../base/index.ts';
import { addressBytes, formatPrefix, inPrefix, type Prefix } from '../codec/address.ts';
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

/** Why a chain does not take a connection. */
export type ChainLoss =
  | { readonly kind: 'mismatch'; readonly criterion: string; readonly wants: string; readonly has: string }
  /** Another chain asks for something narrower. */
  | { readonly kind: 'lessSpecific'; readonly criterion: string }
  /** Another chain fits as well, and stands before it. */
  | { readonly kind: 'later' };

export interface ChainDecision<C> {
  readonly chosen: C | undefined;
  /** It takes what no other chain does. */
  readonly isDefault: boolean;
  readonly lost: readonly { readonly chain: C; readonly loss: ChainLoss }[];
}

interface Matched {
  readonly match: ChainMatch;
}

/** Undefined when none of them fits: then it is for the default chain, where there is one. */
export function chooseChain<C extends Matched>(chains: readonly C[], facts: ConnectionFacts): C | undefined {
  return narrow(chains, facts, undefined);
}

/** The same choice with why each other chain was not taken. */
export function decideChain<C extends Matched>(
  chains: readonly C[],
  defaultChain: C | undefined,
  facts: ConnectionFacts,
): ChainDecision<C> {
  const lost: { chain: C; loss: ChainLoss }[] = [];
  const found = narrow(chains, facts, (chain, loss) => lost.push({ chain, loss }));
  return { chosen: found ?? defaultChain, isDefault: !found && defaultChain !== undefined, lost };
}

export function lossText(loss: ChainLoss): string {
  switch (loss.kind) {
    case 'mismatch':
      return `${loss.criterion}: wants ${loss.wants}, the connection has ${loss.has}`;
    case 'lessSpecific':
      return `${loss.criterion}: another chain fits more closely`;
    case 'later':
      return 'another chain fits as well and comes first';
    default:
      return unreachable(loss);
  }
}

interface Criterion {
  readonly name: string;
  /** How well a chain fits: below 0 not at all, 0 by not asking, more for the more specific. */
  readonly fit: (match: ChainMatch, facts: Prepared) => number;
  readonly wants: (match: ChainMatch) => string;
  readonly has: (facts: Prepared) => string;
}

interface Prepared extends ConnectionFacts {
  readonly destinationBytes: readonly number[];
  readonly sourceBytes: readonly number[];
  readonly local: boolean;
}

const criteria: readonly Criterion[] = [
  {
    name: 'destination port',
    fit: (match, facts) => same(match.destinationPort, facts.destinationPort),
    wants: (match) => String(match.destinationPort),
    has: (facts) => String(facts.destinationPort),
  },
  {
    name: 'destination address',
    fit: (match, facts) => longest(match.destinations, facts.destinationBytes),
    wants: (match) => prefixesText(match.destinations),
    has: (facts) => facts.destinationIp,
  },
  {
    name: 'server name',
    fit: (match, facts) => serverNameFit(match.serverNames, facts.serverName),
    wants: (match) => match.serverNames.join(' or '),
    has: (facts) => facts.serverName ?? 'none',
  },
  {
    name: 'transport protocol',
    fit: (match, facts) => same(match.transportProtocol || undefined, facts.transportProtocol),
    wants: (match) => match.transportProtocol,
    has: (facts) => facts.transportProtocol,
  },
  {
    name: 'application protocols',
    fit: (match, facts) => protocolFit(match.applicationProtocols, facts.applicationProtocols),
    wants: (match) => match.applicationProtocols.join(' or '),
    has: (facts) => facts.applicationProtocols.join(', ') || 'none',
  },
  {
    name: 'direct source address',
    fit: (match, facts) => longest(match.directSources, facts.sourceBytes),
    wants: (match) => prefixesText(match.directSources),
    has: (facts) => facts.sourceIp,
  },
  {
    name: 'source type',
    fit: (match, facts) => same(match.sourceType === 'any' ? undefined : match.sourceType, typeOf(facts)),
    wants: (match) => match.sourceType,
    has: typeOf,
  },
  {
    name: 'source address',
    fit: (match, facts) => longest(match.sources, facts.sourceBytes),
    wants: (match) => prefixesText(match.sources),
    has: (facts) => facts.sourceIp,
  },
  {
    name: 'source port',
    fit: (match, facts) => {
      if (match.sourcePorts.length === 0) return 0;
      return match.sourcePorts.includes(facts.sourcePort) ? 1 : -1;
    },
    wants: (match) => match.sourcePorts.join(' or '),
    has: (facts) => String(facts.sourcePort),
  },
];

type Lose<C> = (chain: C, loss: ChainLoss) => void;

function narrow<C extends Matched>(
  chains: readonly C[],
  facts: ConnectionFacts,
  lose: Lose<C> | undefined,
): C | undefined {
  const prepared = prepare(facts);
  let left = chains;
  for (const criterion of criteria) {
    let best = -1;
    const fits = left.map((chain) => {
      const fit = criterion.fit(chain.match, prepared);
      if (fit > best) best = fit;
      return fit;
    });
    if (lose)
      for (const [index, chain] of left.entries()) {
        const fit = fits[index] ?? -1;
        if (fit < 0) lose(chain, mismatch(criterion, chain.match, prepared));
        else if (fit < best) lose(chain, { kind: 'lessSpecific', criterion: criterion.name });
      }
    if (best < 0) return undefined;
    left = left.filter((_, index) => fits[index] === best);
  }
  const [first, ...later] = left;
  if (lose) for (const chain of later) lose(chain, { kind: 'later' });
  return first;
}

function prepare(facts: ConnectionFacts): Prepared {
  const sourceBytes = addressBytes(facts.sourceIp);
  return {
    ...facts,
    destinationBytes: addressBytes(facts.destinationIp),
    sourceBytes,
    local: facts.sourceIp === facts.destinationIp || sourceBytes[0] === 127 || facts.sourceIp === '::1',
  };
}

function mismatch(criterion: Criterion, match: ChainMatch, facts: Prepared): ChainLoss {
  return {
    kind: 'mismatch',
    criterion: criterion.name,
    wants: criterion.wants(match),
    has: criterion.has(facts),
  };
}

function same<T>(wanted: T | undefined, actual: T): number {
  if (wanted === undefined) return 0;
  return wanted === actual ? 1 : -1;
}

function typeOf({ local }: Prepared): 'local' | 'external' {
  return local ? 'local' : 'external';
}

function prefixesText(prefixes: readonly Prefix[]): string {
  return prefixes.map(formatPrefix).join(' or ');
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
