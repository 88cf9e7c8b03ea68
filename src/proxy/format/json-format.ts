// Access log lines in JSON: fields of one operator keep its type, others are text.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage#format-dictionaries
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import type { FormatContext } from '../decide/route/request-view.ts';
import { wireText } from '../decide/route/wire-text.ts';
import { compilePieces, type Formatter, type Piece, textOf } from './format.ts';

/** JSON text; undefined for a value that is left out. */
type Field = (context: FormatContext) => string | undefined;

export function compileJsonFormat(source: JsonObject, omitEmpty: boolean, problems: string[]): Formatter {
  const line = objectField(source, omitEmpty, problems);
  return (context) => `${line(context) ?? '{}'}\n`;
}

function objectField(source: JsonObject, omitEmpty: boolean, problems: string[]): Field {
  const fields = Object.keys(source)
    .sort()
    .map((key) => ({
      key: `${quoted(wireText(key))}:`,
      field: valueField(source[key] ?? null, omitEmpty, problems),
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

function valueField(source: JsonValue, omitEmpty: boolean, problems: string[]): Field {
  if (typeof source === 'string') return textField(source, omitEmpty, problems);
  if (Array.isArray(source)) {
    const items = source.map((item) => valueField(item, false, problems));
    return (context) => `[${items.map((item) => item(context)).join(',')}]`;
  }
  if (typeof source === 'object' && source !== null) return objectField(source, omitEmpty, problems);
  const constant = JSON.stringify(source);
  return () => constant;
}

function textField(source: string, omitEmpty: boolean, problems: string[]): Field {
  const pieces = compilePieces(source, problems);
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

function joined(pieces: readonly Piece[], context: FormatContext, absent: string): string {
  let text = '';
  for (const piece of pieces) text += typeof piece === 'string' ? piece : textOf(piece(context), absent);
  return text;
}

const plainText = /^[ !#-[\]-~]*$/;

function quoted(text: string): string {
  return plainText.test(text) ? `"${text}"` : JSON.stringify(text);
}
