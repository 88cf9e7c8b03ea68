// For tests: the findings that a spec written in YAML gives, each as `CODE path`.
import { type Kind, type KindDefinition, kinds, parseDocuments } from './index.ts';

export interface SpecCase {
  readonly name: string;
  readonly spec: string;
  readonly expected: readonly string[];
  readonly metadata?: string;
}

export function findingsOf(kind: Kind, { spec, metadata = '{name: a}' }: SpecCase): string[] {
  const definition: KindDefinition<unknown> = kinds[kind];
  const apiVersion = `${definition.group}/${definition.versions[0]}`;
  const { issues } = parseDocuments(
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: ${metadata}\nspec: ${spec}\n`,
    'case.yaml',
  );
  return issues.map((issue) => `${issue.code} ${issue.origin.path.replace(/^spec\.?/, '')}`.trim());
}
