// Which subsets of a cluster's hosts there are, and what happens when one has none.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/load_balancing/subsets
import {
  Cluster_LbSubsetConfig_LbSubsetFallbackPolicy as Fallback,
  Cluster_LbSubsetConfig_LbSubsetSelector_LbSubsetSelectorFallbackPolicy as SelectorFallback,
  type Cluster_LbSubsetConfig as SubsetConfig,
} from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';

export type FallbackKind = 'none' | 'any' | 'default' | 'keys';

export interface SubsetSelector {
  readonly keys: readonly string[];
  /** Undefined leaves it to the cluster. */
  readonly fallback: FallbackKind | undefined;
  readonly fallbackKeys: readonly string[];
}

export interface SubsetPlan {
  readonly fallback: FallbackKind;
  readonly defaultSubset: Readonly<Record<string, unknown>>;
  readonly selectors: readonly SubsetSelector[];
  /** A list in the metadata of a host matches each of its values. */
  readonly listAsAny: boolean;
  readonly panicAny: boolean;
}

/** Without selectors every request would take the fallback: Envoy then does not look at metadata at all. */
export function planSubsets(source: SubsetConfig | undefined): SubsetPlan | undefined {
  if (!source || source.subsetSelectors.length === 0) return undefined;
  return {
    fallback: fallbacks[source.fallbackPolicy] ?? 'none',
    defaultSubset: source.defaultSubset ?? {},
    selectors: source.subsetSelectors.map((one) => ({
      keys: [...one.keys].sort(),
      fallback: selectorFallbacks[one.fallbackPolicy],
      fallbackKeys: one.fallbackKeysSubset,
    })),
    listAsAny: source.listAsAny,
    panicAny: source.panicModeAny,
  };
}

const fallbacks: Readonly<Record<number, FallbackKind>> = {
  [Fallback.ANY_ENDPOINT]: 'any',
  [Fallback.DEFAULT_SUBSET]: 'default',
};

const selectorFallbacks: Readonly<Record<number, FallbackKind>> = {
  [SelectorFallback.NO_FALLBACK]: 'none',
  [SelectorFallback.ANY_ENDPOINT]: 'any',
  [SelectorFallback.DEFAULT_SUBSET]: 'default',
  [SelectorFallback.KEYS_SUBSET]: 'keys',
};
