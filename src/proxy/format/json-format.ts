// Access log lines in JSON: fields of one operator keep its type, others are text.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#format-dictionaries
import { unreachable } from '../../base/index.ts';
import { wireText } from '../codec/wire-text.ts';
import { compilePieces, type Formatter, joined } from './format.ts';
import type { FormatContext } from './format-context.ts';
import type { FormatPlan } from './format-plan.ts';
import type { JsonFieldPlan } from './json-format-plan.ts';

/** JSON text; undefined for a value that is left out. */
type Field = (context: FormatContext) => string | undefined;

export function compileJsonFormat(plan: JsonFieldPlan, omitEmpty: boolean): Formatter {
  const line = fieldOf(plan, omitEmpty);
  return (context) => `${line(context) ?? '{}'}\n`;
}

function fieldOf(plan: JsonFieldPlan, omitEmpty: boolean): Field {
  switch (plan.kind) {
    case 'object':
      return objectField(plan, omitEmpty);
    case 'text':
      return textField(plan.format, omitEmpty);
    case 'list': {
      const items = plan.items.map((item) => fieldOf(item, false));
      return (context) => `[${items.map((item) => item(context)).join(',')}]`;
    }
    case 'constant': {
      const constant = JSON.stringify(plan.value);
      return () => constant;
    }
    default:
      return unreachable(plan);
  }
}

function objectField(plan: JsonFieldPlan & { kind: 'object' }, omitEmpty: boolean): Field {
  const fields = plan.fields.map(({ key, value }) => ({
    key: `${quoted(wireText(key))}:`,
    field: fieldOf(value, omitEmpty),
  }));
  return (context) => {
    let text = '';
    for (const { key, field } of fields) {
      const value = field(context);
      if (value !== undefined) text += text === '' ? key + value : `,${key}${value}`;
    }
    return omitEmpty && text === '' ? undefined : `{${text}}`;
  };
}

function textField(plan: FormatPlan, omitEmpty: boolean): Field {
  const pieces = compilePieces(plan);
  const [only] = pieces;
  if (pieces.length === 1 && typeof only === 'function')
    return (context) => {
      const value = only(context);
      if (value === undefined) return omitEmpty ? undefined : 'null';
      if (typeof value === 'string') return quoted(value);
      return typeof value === 'number' ? String(value) : wireText(JSON.stringify(value));
    };
  const absent = omitEmpty ? '' : '-';
  return (context) => quoted(joined(pieces, context, absent));
}

const plainText = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}
