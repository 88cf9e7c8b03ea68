// Which connections a filter chain is for.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/listener/v3/listener_components.proto#config-listener-v3-filterchainmatch
import {
  type FilterChainMatch,
  FilterChainMatch_ConnectionSourceType as SourceType,
} from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { compilePrefix, type Prefix } from '../../codec/address.ts';

/** What is empty, undefined or `any` asks for nothing. */
export interface ChainMatch {
  readonly destinationPort: number | undefined;
  readonly destinations: readonly Prefix[];
  /** Lower case. */
  readonly serverNames: readonly string[];
  readonly transportProtocol: string;
  readonly applicationProtocols: readonly string[];
  readonly directSources: readonly Prefix[];
  readonly sourceType: 'any' | 'local' | 'external';
  readonly sources: readonly Prefix[];
  readonly sourcePorts: readonly number[];
}

export function planChainMatch(source: FilterChainMatch | undefined, problems: string[]): ChainMatch {
  const prefixes = (ranges: FilterChainMatch['prefixRanges']): readonly Prefix[] =>
    ranges.flatMap((range) => compilePrefix(range, problems) ?? []);
  const names = source?.serverNames ?? [];
  for (const name of names)
    if (name.slice(1).includes('*')) problems.push(`server name ${name}: only a leading "*." is allowed`);
  return {
    destinationPort: source?.destinationPort,
    destinations: prefixes(source?.prefixRanges ?? []),
    serverNames: names.map((name) => name.toLowerCase()),
    transportProtocol: source?.transportProtocol ?? '',
    applicationProtocols: source?.applicationProtocols ?? [],
    directSources: prefixes(source?.directSourcePrefixRanges ?? []),
    sourceType: sourceTypes[source?.sourceType ?? SourceType.ANY] ?? 'any',
    sources: prefixes(source?.sourcePrefixRanges ?? []),
    sourcePorts: source?.sourcePorts ?? [],
  };
}

const sourceTypes: Readonly<Record<number, ChainMatch['sourceType']>> = {
  [SourceType.SAME_IP_OR_LOOPBACK]: 'local',
  [SourceType.EXTERNAL]: 'external',
};
