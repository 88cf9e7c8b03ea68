// Findings as they come and go: each is told once, with what is in force of the resource that it is about.
import type { Issue } from '../base/index.ts';

export interface News {
  /** Not there the last time. */
  readonly fresh: readonly Issue[];
  /** There were some the last time, and there are none now. */
  readonly isSolved: boolean;
}

export class FindingLog {
  #told = new Set<string>();

  /** `issues`: everything that there is to say now. What is only for information is left out. */
  next(issues: readonly Issue[]): News {
    const visible = issues.filter(({ severity }) => severity !== 'info');
    const fresh = visible.filter((issue) => !this.#told.has(textOf(issue)));
    const isSolved = this.#told.size > 0 && visible.length === 0;
    this.#told = new Set(visible.map(textOf));
    return { fresh, isSolved };
  }
}

/** A finding that only moves with its line is the same. */
function textOf({ code, message, origin }: Issue): string {
  return JSON.stringify([
    code,
    message,
    origin.file,
    origin.kind,
    origin.namespace,
    origin.name,
    origin.path,
  ]);
}
