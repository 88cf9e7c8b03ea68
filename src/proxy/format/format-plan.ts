// Configured text with command operators, in its parts: `%REQ(X?Y):Z%` and its kin.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
import { wireText } from '../codec/wire-text.ts';
import { operatorOf } from './operators.ts';

export interface CommandPlan {
  readonly name: string;
  /** What stands in brackets. */
  readonly args: string | undefined;
  /** So many characters of its value at most. */
  readonly limit: number | undefined;
}

/** Text as it goes out, and commands where it has any. */
export type FormatPlan = readonly (string | CommandPlan)[];

/** Unknown operators and stray `%` are problems. */
export function planFormat(text: string, problems: string[]): FormatPlan {
  const pieces: (string | CommandPlan)[] = [];
  for (const [whole, literal, name, args, limit] of text.matchAll(
    /([^%]+|%%)|%([A-Z0-9_]+)(?:\(([^)]{0,1000})\))?(?::(\d+))?%|%/g,
  )) {
    if (literal !== undefined) pieces.push(literal === '%%' ? '%' : wireText(literal));
    else if (name !== undefined && operatorOf({ name, args }, problems))
      pieces.push({ name, args, limit: limit === undefined ? undefined : Number(limit) });
    else problems.push(badPiece(text, whole));
  }
  return pieces;
}

function badPiece(text: string, piece: string): string {
  return `header value ${JSON.stringify(text)}: ${JSON.stringify(piece)} is not a known operator; write %% for a percent sign`;
}
