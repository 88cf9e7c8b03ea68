// Findings as text for people.
import { compareIssues, type Issue } from '../base/index.ts';

/** `shop.yaml:14:9   error    MT0107  http[1] has a match and nothing to do: …` */
export function formatIssue(issue: Issue, placeWidth = 0): string {
  return `${placeOf(issue).padEnd(placeWidth)}  ${issue.severity.padEnd(7)}  ${issue.code}  ${issue.message}`;
}

/** One line each, in the order of the files. */
export function formatIssues(issues: readonly Issue[]): string[] {
  const width = issues.reduce((widest, issue) => Math.max(widest, placeOf(issue).length), 0);
  return [...issues].sort(compareIssues).map((issue) => formatIssue(issue, width));
}

/** `1 error, 2 warnings in 3 resources` */
export function formatSummary(issues: readonly Issue[], resources: number): string {
  const words = { error: 'error', warning: 'warning', info: 'note' } as const;
  const counts = (['error', 'warning', 'info'] as const).flatMap((severity) => {
    const count = issues.filter((issue) => issue.severity === severity).length;
    return count === 0 ? [] : [plural(count, words[severity])];
  });
  return `${counts.length === 0 ? 'no findings' : counts.join(', ')} in ${plural(resources, 'resource')}`;
}

function placeOf({ origin }: Issue): string {
  const file = origin.file ?? `${origin.kind} ${origin.namespace}/${origin.name}`;
  if (origin.line === undefined) return file;
  return origin.column === undefined ? `${file}:${origin.line}` : `${file}:${origin.line}:${origin.column}`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}
