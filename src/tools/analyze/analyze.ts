// All findings about a set of resources in the light of each other, without a control plane.
import { type Issue, MemoEngine } from '../../base/index.ts';
import type { AnyConfig, Kind, MeshConfig } from '../../config/index.ts';
import { Mesh } from '../../mesh/index.ts';
import { ConfigStore, Registry } from '../../registry/index.ts';
import { Findings } from './findings.ts';

export interface AnalyzeOptions {
  readonly meshConfig?: MeshConfig;
  /** DNS suffix of the cluster. */
  readonly domain?: string;
}

/**
 * Findings about names that lead nowhere, and the kinds of which there must be something before they mean
 * anything.
 */
const lookups: Readonly<Record<string, readonly Kind[]>> = {
  MT0201: ['Service', 'ServiceEntry'],
  MT0206: ['Service', 'ServiceEntry'],
  MT0202: ['Gateway', 'gateway.networking.k8s.io/Gateway'],
};

/** Resources that hold nothing of a kind are a part of a mesh: what they name is taken to be elsewhere. */
export function analyze(
  resources: readonly AnyConfig[],
  { meshConfig = {}, domain = 'cluster.local' }: AnalyzeOptions = {},
): readonly Issue[] {
  const engine = new MemoEngine();
  const store = new ConfigStore(engine, { domain });
  const mesh = new Mesh(engine, store, new Registry(engine, store), meshConfig);
  for (const object of resources) store.put(object);
  const findings = new Findings(engine, mesh);
  findings.apply({ changed: resources, removed: [] });
  const present = new Set(resources.map(({ kind }) => kind));
  const isKnowable = ({ code }: Issue): boolean => lookups[code]?.some((kind) => present.has(kind)) ?? true;
  return [...[...findings.byObject.values()].flat(), ...findings.ofGatewayApi].filter(isKnowable);
}
