// Labels and selectors.
import type { Path, RuleContext } from '../schema/index.ts';
import { domainProblem } from './names.ts';

type Labels = Readonly<Record<string, string>>;

const namePattern = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#syntax-and-character-set */
export function checkLabels(labels: Labels | undefined, path: Path, context: RuleContext): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (!isLabelKey(key)) context.report('MT0111', [...path, key], `"${key}" is not a label key`);
    if (value !== '' && !isLabelName(value))
      context.report('MT0111', [...path, key], `"${value}" is not a label value`);
  }
}

/** A selector of the networking kinds: keys without wildcard, values without wildcard. */
export function checkSelector(labels: Labels | undefined, path: Path, context: RuleContext): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    if (key === '') context.report('MT0111', [...path, key], 'a selector cannot have an empty key');
    if (key.includes('*') || value.includes('*'))
      context.report('MT0111', [...path, key], 'a selector cannot have a wildcard');
    if (value.length > 63)
      context.report('MT0111', [...path, key], 'a label value has at most 63 characters');
  }
}

export function warnEmptySelector(labels: Labels | undefined, path: Path, context: RuleContext): void {
  if (Object.keys(labels ?? {}).length === 0)
    context.report('MT0152', path, '{} has no labels: it applies to every workload of the namespace');
}

function isLabelKey(key: string): boolean {
  const slash = key.indexOf('/');
  if (slash === -1) return isLabelName(key);
  return domainProblem(key.slice(0, slash)) === undefined && isLabelName(key.slice(slash + 1));
}

function isLabelName(text: string): boolean {
  return text.length <= 63 && namePattern.test(text);
}
