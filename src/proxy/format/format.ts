// Envoy's substitution formatter for configured text: `%REQ(X?Y):Z%` and its kin.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#command-operators
import type { FormatContext } from '../decide/route/request-view.ts';
import { wireText } from '../decide/route/wire-text.ts';
import type { Operator, OperatorValue } from './operator.ts';
import { operatorOf } from './operators.ts';

export type Formatter = (context: FormatContext) => string;

/** Text, and operators where it has any. */
export type Piece = string | Operator;

/**
 * `absent` stands for a value that there is none of. A text without operators is a constant. Unknown
 * operators and stray `%` are problems.
 */
export function compileFormat(text: string, problems: string[], absent = ''): Formatter {
  const pieces = compilePieces(text, problems);
  if (pieces.every((piece) => typeof piece === 'string')) {
    const constant = pieces.join('');
    return () => constant;
  }
  return (context) => {
    let line = '';
    for (const piece of pieces) line += typeof piece === 'string' ? piece : textOf(piece(context), absent);
    return line;
  };
}

export function compilePieces(text: string, problems: string[]): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const [whole, literal, name, args, limit] of text.matchAll(
    /([^%]+|%%)|%([A-Z0-9_]+)(?:\(([^)]{0,1000})\))?(?::(\d+))?%|%/g,
  )) {
    if (literal !== undefined) pieces.push(literal === '%%' ? '%' : wireText(literal));
    else {
      const operator = name === undefined ? undefined : limited({ name, args }, limit, problems);
      if (operator) pieces.push(operator);
      else problems.push(badPiece(text, whole));
    }
  }
  return pieces;
}

/** Without what would end a line. */
export function textOf(value: OperatorValue, absent: string): string {
  if (value === undefined) return absent;
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : wireText(JSON.stringify(value));
  return breaks.test(text) ? text.replace(/[\0\r\n]/g, '') : text;
}

const breaks = /[\0\r\n]/;

function limited(
  command: { readonly name: string; readonly args: string | undefined },
  limit: string | undefined,
  problems: string[],
): Operator | undefined {
  const operator = operatorOf(command, problems);
  if (!operator || limit === undefined) return operator;
  const length = Number(limit);
  return (context) => {
    const value = operator(context);
    return value === undefined ? undefined : textOf(value, '').slice(0, length);
  };
}

function badPiece(text: string, piece: string): string {
  return `header value ${JSON.stringify(text)}: ${JSON.stringify(piece)} is not a known operator; write %% for a percent sign`;
}
