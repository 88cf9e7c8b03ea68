// Regular expressions of users at work. Every pattern runs in linear time: RE2 semantics, never the host's
// backtracking engine.
import { RE2JS } from 're2js';
import { wireText } from '../../codec/wire-text.ts';
import type { SubstitutionPlan } from '../../plan/route/regex.ts';
import { compiledOnce } from '../compiled.ts';

/** Subjects are bytes, one a character: so is the pattern, as Envoy's RE2 sees both. */
export function compilePattern(pattern: string): RE2JS {
  return RE2JS.compile(wireText(pattern));
}

const programOf = compiledOnce(({ pattern }: SubstitutionPlan) => compilePattern(pattern));

/** RE2's `GlobalReplace`. */
export function substitute(plan: SubstitutionPlan, text: string): string {
  const matcher = programOf(plan).matcher(text);
  let out = '';
  let end = 0;
  let first = true;
  while (matcher.find()) {
    // RE2 takes no empty match right behind another match.
    if (!first && matcher.start() === matcher.end() && matcher.start() === end) continue;
    first = false;
    out += text.slice(end, matcher.start());
    for (const piece of plan.pieces) out += typeof piece === 'string' ? piece : (matcher.group(piece) ?? '');
    end = matcher.end();
  }
  return out + text.slice(end);
}
