import { compareText } from './order.ts';
import type { Origin } from './origin.ts';

export type Severity = 'error' | 'warning' | 'info';

/** One finding about what a user wrote. Findings are values: nothing throws for bad configuration. */
export interface Issue {
  /** Stable code, `MT` and four digits; the catalogue in `config/` documents each. */
  readonly code: string;
  readonly severity: Severity;
  readonly origin: Origin;
  /** What is wrong and what to write instead, in the words of the resource. */
  readonly message: string;
}

/** A value and what there is to say about it; `value` is absent when no usable value could be made. */
export interface Checked<T> {
  readonly value?: T;
  readonly issues: readonly Issue[];
}

export function hasErrors(issues: readonly Issue[]): boolean {
  return issues.some((issue) => issue.severity === 'error');
}

/** Order for people: by file, then line, then column, then field path. */
export function compareIssues(a: Issue, b: Issue): number {
  return (
    compareText(a.origin.file ?? '', b.origin.file ?? '') ||
    (a.origin.line ?? 0) - (b.origin.line ?? 0) ||
    (a.origin.column ?? 0) - (b.origin.column ?? 0) ||
    compareText(a.origin.path, b.origin.path)
  );
}
