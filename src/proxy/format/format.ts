// Envoy's substitution formatter: a planned format as a function that reads an exchange.
import { wireText } from '../codec/wire-text.ts';
import type { FormatContext } from './format-context.ts';
import type { CommandPlan, FormatPlan } from './format-plan.ts';
import type { Operator, OperatorValue } from './operator.ts';
import { operatorOf } from './operators.ts';

export type Formatter = (context: FormatContext) => string;

/** Text, and operators where it has any. */
export type Piece = string | Operator;

/** `absent` stands for a value that there is none of. A text without operators is a constant. */
export function compileFormat(plan: FormatPlan, absent = ''): Formatter {
  const pieces = compilePieces(plan);
  if (pieces.every((piece) => typeof piece === 'string')) {
    const constant = pieces.join('');
    return () => constant;
  }
  return (context) => joined(pieces, context, absent);
}

export function compilePieces(plan: FormatPlan): readonly Piece[] {
  return plan.map((piece) => (typeof piece === 'string' ? piece : compileCommand(piece)));
}

export function joined(pieces: readonly Piece[], context: FormatContext, absent: string): string {
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : textOf(piece(context), absent);
  return text;
}

const nothing: Operator = () => undefined;

// What is wrong with it was found when it was planned.
function compileCommand({ name, args, limit }: CommandPlan): Operator {
  const operator = operatorOf({ name, args }, []) ?? nothing;
  if (limit === undefined) return operator;
  return (context) => {
    const value = operator(context);
    return value === undefined ? undefined : textOf(value, '').slice(0, limit);
  };
}

/** Without what would end a line. */
function textOf(value: OperatorValue, absent: string): string {
  if (value === undefined) return absent;
  if (typeof value === 'number') return String(value);
  const text = typeof value === 'string' ? value : wireText(JSON.stringify(value));
  return breaks.test(text) ? text.replace(/[\0\r\n]/g, '') : text;
}

const breaks = /[\0\r\n]/;
