// Which fields of a message may stand together.
import type { IssueCode } from '../catalogue.ts';
import type { RuleContext } from '../schema/index.ts';

/** At most one of the fields: a oneof of the API, or a pair that excludes each other. */
export function exclusive<K extends string>(...names: readonly K[]) {
  return (value: { readonly [key in K]?: unknown }, context: RuleContext): void => {
    const [first, second] = names.filter((name) => isSet(value[name]));
    if (first !== undefined && second !== undefined)
      context.report('MT0108', [second], `{} cannot stand beside ${first}`);
  };
}

export function needsOneOf<K extends string>(code: IssueCode, ...names: readonly K[]) {
  return (value: { readonly [key in K]?: unknown }, context: RuleContext): void => {
    if (!names.some((name) => isSet(value[name])))
      context.report(code, [], `{} has nothing in it; set ${namesText(names)}`);
  };
}

export function notNegative<K extends string>(...names: readonly K[]) {
  return (value: { readonly [key in K]?: number }, context: RuleContext): void => {
    for (const name of names)
      if ((value[name] ?? 0) < 0) context.report('MT0105', [name], `{} cannot be negative (${value[name]})`);
  };
}

export function percentIn<K extends string>(...names: readonly K[]) {
  return (value: { readonly [key in K]?: number }, context: RuleContext): void => {
    for (const name of names) {
      const percent = value[name] ?? 0;
      if (percent < 0 || percent > 100)
        context.report('MT0115', [name], `{} must be from 0 to 100, not ${percent}`);
    }
  };
}

export function isSet(value: unknown): boolean {
  return value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0);
}

function namesText(names: readonly string[]): string {
  return names.length === 1 ? `${names[0]}` : `${names.slice(0, -1).join(', ')} or ${names.at(-1)}`;
}
