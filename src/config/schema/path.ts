// Field paths as text: `spec.http[1].match[0].headers["x.y"].exact`.
import type { Path } from './shape.ts';

export function pathText(path: Path): string {
  return path.reduce<string>((text, step) => text + stepText(step, text === ''), '');
}

/** The path without the `spec` that every resource begins with. */
export function fieldText(path: Path): string {
  return path[0] === 'spec' && path.length > 1 ? pathText(path.slice(1)) : pathText(path);
}

export function parsePath(text: string): Path {
  const steps: (string | number)[] = [];
  for (const [, index, quoted, name] of text.matchAll(/\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]|([^.[\]]+)/g)) {
    if (index !== undefined) steps.push(Number(index));
    else if (quoted !== undefined) steps.push(unquote(quoted));
    else if (name !== undefined) steps.push(name);
  }
  return steps;
}

function stepText(step: string | number, isFirst: boolean): string {
  if (typeof step === 'number') return `[${step}]`;
  if (!/^[\w-]+$/.test(step)) return `[${JSON.stringify(step)}]`;
  return isFirst ? step : `.${step}`;
}

function unquote(text: string): string {
  try {
    return String(JSON.parse(text));
  } catch {
    return text.slice(1, -1);
  }
}
