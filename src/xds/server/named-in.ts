// Which resources the text of a refusal is about. Envoy names those that it refuses:
// `Error adding/updating listener(s) 10.0.0.1_80: …`
import type { ServedResource } from './feed.ts';

/** Those that the text names as a whole word; all of them when it names none. */
export function namedIn(text: string, resources: readonly ServedResource[]): readonly ServedResource[] {
  const named = resources.filter(({ name }) => names(text, name));
  return named.length > 0 ? named : resources;
}

/** `80` is not named by `10.0.0.1_80`, nor `cart` by `cart.default` or `outbound|80||cart`. */
function names(text: string, name: string): boolean {
  if (name === '') return false;
  for (let at = text.indexOf(name); at !== -1; at = text.indexOf(name, at + 1))
    if (isStart(text, at) && isEnd(text, at + name.length)) return true;
  return false;
}

const partOfName = /[\w|-]/;

function isStart(text: string, at: number): boolean {
  return at === 0 || !/[\w|.-]/.test(text.charAt(at - 1));
}

/** A full stop ends a sentence, unless a word follows it at once. */
function isEnd(text: string, at: number): boolean {
  const next = text.charAt(at);
  return next === '.' ? !partOfName.test(text.charAt(at + 1)) : !partOfName.test(next);
}
