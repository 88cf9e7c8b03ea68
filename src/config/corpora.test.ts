// Istio's own validation, recorded, and the conformance cases: our verdict has to be the same.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { load } from 'js-yaml';
import { hasErrors } from '../base/index.ts';
import { formatIssues, parseDocuments, parseMeshConfig } from './index.ts';

const shared = join(import.meta.dirname, '../../../shared');

interface Case {
  readonly id: string;
  readonly valid: boolean;
  readonly schemaError: string | null;
  readonly object: unknown;
}

function skipUnless(folder: string): { skip: string | false } {
  if (existsSync(folder)) return { skip: false };
  const reason = `NOT RUN: ${folder} is missing`;
  process.stderr.write(`\n*** ${reason} ***\n\n`);
  return { skip: reason };
}

function casesOf(corpus: string): readonly Case[] {
  return JSON.parse(readFileSync(join(shared, 'corpora', corpus, 'cases.json'), 'utf8'));
}

/** Stands for long strings in the corpus: `{"$repeat": [[text, times], …]}`. */
function expand(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(expand);
  if (typeof value !== 'object' || value === null) return value;
  if ('$repeat' in value)
    return (value.$repeat as [string, number][]).map(([text, times]) => text.repeat(times)).join('');
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, expand(item)]));
}

/** A case that the webhook takes and the CRD's schema does not may go either way. */
function disagreements(cases: readonly Case[]): string[] {
  return cases.flatMap(({ id, valid, schemaError, object }) => {
    const { issues } = parseDocuments(JSON.stringify(expand(object)), id);
    const accepted = !hasErrors(issues);
    const agrees = accepted === valid || accepted === (valid && schemaError === null);
    return agrees
      ? []
      : [
          `${id}: the reference ${valid ? 'accepts' : 'refuses'} it; ${formatIssues(issues).join('; ') || 'no findings'}`,
        ];
  });
}

const corpora = [
  { corpus: 'validation-webhook', size: 544 },
  { corpus: 'validation', size: 53 },
] as const;

for (const { corpus, size } of corpora) {
  test(
    `${corpus}: the same verdict in all ${size} cases`,
    skipUnless(join(shared, 'corpora', corpus)),
    () => {
      const cases = casesOf(corpus);
      assert.equal(cases.length, size);
      assert.deepEqual(disagreements(cases), []);
    },
  );
}

test(
  'conformance: what the reference served is accepted, what it rejected is refused',
  skipUnless(join(shared, 'conformance')),
  () => {
    const files = globSync(join(shared, 'conformance/*/*.yaml'));
    assert.ok(files.length >= 400, `${files.length} cases`);
    const wrong = files.flatMap((file) => {
      const {
        config,
        mesh = {},
        rejected,
      } = load(readFileSync(file, 'utf8')) as { config: string; mesh?: object; rejected?: string };
      const issues = [
        ...parseDocuments(config, file).issues,
        ...parseMeshConfig(JSON.stringify(mesh), file).issues,
      ];
      if (hasErrors(issues) === (rejected !== undefined)) return [];
      return [`${file}: rejected by the reference: ${rejected ?? 'no'}; ${formatIssues(issues).join('; ')}`];
    });
    assert.deepEqual(wrong, []);
  },
);
