// Regular expressions of users as plans: their text, checked. Every pattern runs in linear time: RE2
// semantics, never the host's backtracking engine.
import type { RegexMatchAndSubstitute } from '@meltemi/envoy-api/envoy/type/matcher/v3/regex';
import { RE2JS } from 're2js';
import { configuredText, wireText } from '../../codec/wire-text.ts';

/** RE2's `GlobalReplace`: text and numbers of groups for each match of the pattern. */
export interface SubstitutionPlan {
  readonly pattern: string;
  readonly pieces: readonly (string | number)[];
}

/** Puts nothing where there was nothing. */
const unchanged: SubstitutionPlan = { pattern: '', pieces: [] };

/** The text of a pattern that can be run; what cannot is a problem. */
export function planPattern(pattern: string, problems: string[]): string | undefined {
  return checkedPattern(pattern, problems) ? pattern : undefined;
}

/** With `\0`-`\9` in the substitution. */
export function planSubstitution(
  rewrite: RegexMatchAndSubstitute | undefined,
  problems: string[],
): SubstitutionPlan {
  const pattern = rewrite?.pattern?.regex ?? '';
  const regex = checkedPattern(pattern, problems);
  const substitution = configuredText(rewrite?.substitution ?? '', 'substitution', problems);
  const pieces = piecesOf(substitution, regex?.groupCount() ?? 0, problems);
  return regex && pieces ? { pattern, pieces } : unchanged;
}

function piecesOf(
  text: string,
  groups: number,
  problems: string[],
): readonly (string | number)[] | undefined {
  const pieces: (string | number)[] = [];
  for (const [whole, escaped] of text.matchAll(/\\(.?)|[^\\]+/gs)) {
    if (escaped === undefined) pieces.push(whole);
    else if (escaped === '\\') pieces.push('\\');
    else if (/\d/.test(escaped) && Number(escaped) <= groups) pieces.push(Number(escaped));
    else {
      problems.push(`substitution ${JSON.stringify(text)}: "${whole}" names no group of the pattern`);
      return undefined;
    }
  }
  return pieces;
}

// Envoy's default limit on the program of one RE2 pattern is far higher; this one bounds what a tenant can
// make us hold.
const longestPattern = 4096;

function checkedPattern(pattern: string, problems: string[]): RE2JS | undefined {
  if (pattern.length > longestPattern) {
    problems.push(`regex of ${pattern.length} characters is longer than ${longestPattern}`);
    return undefined;
  }
  try {
    return RE2JS.compile(wireText(pattern));
  } catch (error) {
    problems.push(
      `invalid regex ${JSON.stringify(pattern)}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}
