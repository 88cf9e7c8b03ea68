// A fresh pilot for one case, inside the agent: what `meltemi pilot` does, without the start of a process.
import { hasErrors, type Issue } from '../../../src/base/index.ts';
import { formatIssues, parseFiles, parseMeshConfig } from '../../../src/config/index.ts';
import { Pilot } from '../../../src/control-plane/index.ts';
import { xdsPort } from '../bootstrap.ts';
import type { PilotSpec, Refusal } from './calls.ts';

export interface StartedPilot {
  readonly refusals: readonly Refusal[];
  stop(): Promise<void>;
}

export async function startPilot({ file, config, mesh }: PilotSpec): Promise<StartedPilot> {
  const meshConfig = parseMeshConfig(mesh, 'mesh.yaml');
  const parsed = parseFiles([{ file, text: config }]);
  const pilot = new Pilot({ meshConfig: meshConfig.value ?? {} });
  const found = pilot.apply({ changed: parsed.resources, removed: [], issues: parsed.issues });
  const inForce = new Set(
    parsed.resources.map(({ kind, metadata }) => key(kind, metadata.namespace, metadata.name)),
  );
  const server = await pilot.serve(`127.0.0.1:${xdsPort}`);
  const refusals = [...meshConfig.issues, ...parsed.issues, ...found]
    .filter((issue) => hasErrors([issue]))
    .map((issue) => ({
      text: textOf(issue),
      isInForce: inForce.has(key(issue.origin.kind, issue.origin.namespace, issue.origin.name)),
    }));
  return { refusals, stop: () => server.close() };
}

function textOf(issue: Issue): string {
  return formatIssues([issue]).join(' ');
}

function key(kind: string, namespace: string, name: string): string {
  return `${kind}/${namespace}/${name}`;
}
