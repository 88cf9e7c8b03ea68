// The committed list of cases that pass on an engine, and what a run says against it.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export interface Verdict {
  /** In the baseline and failed. */
  readonly broken: readonly string[];
  /** In the baseline, selected, and did not run. */
  readonly unrun: readonly string[];
  /** Passed and not in the baseline. */
  readonly added: readonly string[];
  /** In the baseline, and no longer a case. */
  readonly gone: readonly string[];
}

export interface Run {
  readonly known: ReadonlySet<string>;
  readonly selected: ReadonlySet<string>;
  readonly passed: ReadonlySet<string>;
  readonly failed: ReadonlySet<string>;
}

export function readBaseline(file: string): readonly string[] | undefined {
  if (!existsSync(file)) return undefined;
  return JSON.parse(readFileSync(file, 'utf8')) as readonly string[];
}

export function writeBaseline(file: string, names: readonly string[]): void {
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `${JSON.stringify([...names].sort(), null, 2)}\n`);
}

export function judge(baseline: readonly string[], { known, selected, passed, failed }: Run): Verdict {
  const listed = new Set(baseline);
  return {
    broken: baseline.filter((name) => failed.has(name)),
    unrun: baseline.filter((name) => selected.has(name) && !passed.has(name) && !failed.has(name)),
    added: [...passed].filter((name) => !listed.has(name)),
    gone: baseline.filter((name) => !known.has(name)),
  };
}

/** The baseline after a run of a part of the cases: what was not run keeps its place. */
export function updated(baseline: readonly string[], { known, selected, passed }: Run): readonly string[] {
  const kept = baseline.filter((name) => known.has(name) && !selected.has(name));
  return [...new Set([...kept, ...passed])].sort();
}
