// What a run prints: a table of folders, the first differences, and what the baseline says.
import type { Verdict } from './baseline.ts';
import type { Case } from './case.ts';
import type { Result } from './schedule.ts';

export interface Report {
  readonly engine: string;
  readonly selected: readonly Case[];
  readonly results: readonly Result[];
  readonly skipped: readonly string[];
  readonly verdict: Verdict;
  readonly seconds: number;
  readonly isVerbose: boolean;
}

const shownCases = 10;
const shownDifferences = 3;
const lineLimit = 400;

export const isPassed = (result: Result): boolean => result.differences.length === 0;

export function textReport(report: Report): string {
  const { results, skipped, isVerbose } = report;
  const failed = results.filter((result) => !isPassed(result));
  const again = results.filter((result) => isPassed(result) && result.attempts > 1);
  const shown = isVerbose ? failed : failed.slice(0, shownCases);
  const hidden = failed.length - shown.length;
  return [
    ...shown.flatMap((result) => failureLines(result, isVerbose)),
    ...(hidden > 0 ? [`… and ${hidden} more; --verbose shows all`] : []),
    '',
    ...table(report),
    '',
    ...(skipped.length > 0 ? [`NOT RUN, counted nowhere: ${skipped.length} without recorded resources`] : []),
    ...(again.length > 0
      ? [`passed only when run again, alone: ${again.map((result) => result.case.name).join(', ')}`]
      : []),
    ...verdictLines(report.verdict),
    `${report.engine}: ${results.length - failed.length} passed, ${failed.length} failed in ${report.seconds.toFixed(0)} s`,
  ].join('\n');
}

export function jsonReport({ engine, results, skipped, verdict, seconds }: Report): string {
  const cases = results.map((result) => ({
    name: result.case.name,
    passed: isPassed(result),
    attempts: result.attempts,
    ms: result.ms,
    differences: result.differences,
    findings: result.findings,
  }));
  const passed = results.filter(isPassed).length;
  return JSON.stringify(
    { engine, passed, failed: results.length - passed, skipped, verdict, seconds, cases },
    null,
    2,
  );
}

function failureLines(result: Result, isVerbose: boolean): readonly string[] {
  const shown = isVerbose ? result.differences : result.differences.slice(0, shownDifferences);
  const hidden = result.differences.length - shown.length;
  return [
    `FAIL ${result.case.name}`,
    ...shown.map((difference) => `     ${isVerbose ? difference : difference.slice(0, lineLimit)}`),
    ...(hidden > 0 ? [`     … and ${hidden} more`] : []),
    ...(isVerbose && result.log !== '' ? [result.log] : []),
  ];
}

function table({ selected, results }: Report): readonly string[] {
  const folders = [...new Set(selected.map((one) => one.folder))];
  const rows = folders.map((folder) => {
    const mine = results.filter((result) => result.case.folder === folder);
    const passed = mine.filter(isPassed).length;
    const cases = selected.filter((one) => one.folder === folder).length;
    return [folder, cases, passed, mine.length - passed, cases - mine.length];
  });
  return [['folder', 'cases', 'passed', 'failed', 'not run'], ...rows].map(([name, ...cells]) =>
    [String(name).padEnd(12), ...cells.map((cell) => String(cell).padStart(8))].join(''),
  );
}

function verdictLines({ broken, unrun, added, gone }: Verdict): readonly string[] {
  const list = (title: string, names: readonly string[]): readonly string[] =>
    names.length === 0 ? [] : [`${title}:`, ...names.map((name) => `  ${name}`)];
  return [
    ...list('in the baseline, and failed', broken),
    ...list('in the baseline, and did not run', unrun),
    ...list('in the baseline, and no longer a case (run with --update-baseline)', gone),
    ...list('passed, and not in the baseline (run with --update-baseline)', added),
  ];
}
