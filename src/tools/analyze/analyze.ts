// All findings about a set of resources in the light of each other, without a control plane.
import { type Issue, MemoEngine } from '../../base/index.ts';
import type { AnyConfig, MeshConfig } from '../../config/index.ts';
import { Mesh } from '../../mesh/index.ts';
import { ConfigStore, Registry } from '../../registry/index.ts';
import { Findings } from './findings.ts';

export interface AnalyzeOptions {
  readonly meshConfig?: MeshConfig;
  /** DNS suffix of the cluster. */
  readonly domain?: string;
}

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
  return [...[...findings.byObject.values()].flat(), ...findings.ofGatewayApi];
}
