// For tests: a spec in YAML and the findings that it must give, as `CODE path`.
import assert from 'node:assert/strict';
import { type Kind, type KindDefinition, kinds, parseDocuments } from './index.ts';

export interface SpecCase {
  readonly name: string;
  readonly spec: string;
  readonly expected: readonly string[];
  readonly metadata?: string;
}

export function checkSpec(kind: Kind, { spec, expected, metadata = '{name: a}' }: SpecCase): void {
  assert.deepEqual(findingsOf(kind, spec, metadata), expected);
}

function findingsOf(kind: Kind, spec: string, metadata: string): string[] {
  const definition: KindDefinition<unknown> = kinds[kind];
  const apiVersion = `${definition.group}/${definition.versions[0]}`;
  const { issues } = parseDocuments(`apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`, 'case.yaml');
  return issues.map((issue) => `${issue.code} ${issue.origin.path.replace(/^spec\.?/, '')}`.trim());
}
