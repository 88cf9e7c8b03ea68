// Regular expressions: RE2 syntax, as Envoy runs them.
import { RE2JS } from 're2js';
import type { Path, RuleContext } from '../schema/index.ts';

/** Istio's limit. A longer expression is a way to make every proxy slow. */
const longest = 1024;

/**
 * `re2.max_program_size.error_level` in the bootstrap of Istio's proxies. The program of Envoy's library is
 * larger than that of ours, never smaller.
 */
const largestProgram = 32_768;

export function checkRegex(regex: string, path: Path, context: RuleContext): void {
  if (regex.length > longest) {
    context.report('MT0110', path, `{} has more than ${longest} characters`);
    return;
  }
  const problem = regexProblem(regex);
  if (problem !== undefined)
    context.report('MT0110', path, `{} is not a regular expression in RE2 syntax: ${problem}`);
}

function regexProblem(regex: string): string | undefined {
  try {
    const size = RE2JS.compile(regex).programSize();
    return size > largestProgram
      ? `it is too large (${size} steps, of which Envoy takes ${largestProgram})`
      : undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
