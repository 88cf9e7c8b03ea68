// An access log line in JSON, in its parts.
import type { JsonObject, JsonValue } from '@bufbuild/protobuf';
import { type FormatPlan, planFormat } from './format-plan.ts';

export type JsonFieldPlan =
  | {
      readonly kind: 'object';
      readonly fields: readonly { readonly key: string; readonly value: JsonFieldPlan }[];
    }
  | { readonly kind: 'list'; readonly items: readonly JsonFieldPlan[] }
  | { readonly kind: 'text'; readonly format: FormatPlan }
  | { readonly kind: 'constant'; readonly value: JsonValue };

/** Fields in the order of their names, as Envoy writes them. */
export function planJsonFormat(source: JsonObject, problems: string[]): JsonFieldPlan {
  return {
    kind: 'object',
    fields: Object.keys(source)
      .sort()
      .map((key) => ({ key, value: planField(source[key] ?? null, problems) })),
  };
}

function planField(source: JsonValue, problems: string[]): JsonFieldPlan {
  if (typeof source === 'string') return { kind: 'text', format: planFormat(source, problems) };
  if (Array.isArray(source)) return { kind: 'list', items: source.map((item) => planField(item, problems)) };
  if (typeof source === 'object' && source !== null) return planJsonFormat(source, problems);
  return { kind: 'constant', value: source };
}
