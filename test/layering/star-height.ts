// How deep repetitions stand inside repetitions in a regular expression. From two on, a text that does not
// fit can take exponential time.

/** Of a JavaScript pattern; groups count by what they hold. */
export function starHeight(pattern: string): number {
  const open: number[] = [0];
  const repeat = (at: number, inner: number): number => {
    const quantifier = /^(?:[*+]|\{\d+,\})/.exec(pattern.slice(at))?.[0] ?? '';
    const height = quantifier === '' ? inner : inner + 1;
    open[open.length - 1] = Math.max(open.at(-1) ?? 0, height);
    return at + quantifier.length;
  };
  for (let at = 0; at < pattern.length; ) {
    const char = pattern[at];
    if (char === '(') {
      open.push(0);
      at++;
    } else if (char === ')') at = repeat(at + 1, open.length > 1 ? (open.pop() ?? 0) : 0);
    else at = repeat(endOfAtom(pattern, at), 0);
  }
  return open[0] ?? 0;
}

function endOfAtom(pattern: string, at: number): number {
  if (pattern[at] === '\\') return at + 2;
  if (pattern[at] !== '[') return at + 1;
  let end = at + 1;
  while (end < pattern.length && pattern[end] !== ']') end += pattern[end] === '\\' ? 2 : 1;
  return end + 1;
}

/** The regular expressions written in a source text. */
export function patternsIn(source: string): readonly string[] {
  const code = source.replace(/^\s*(?:\/\/|\*|\/\*\*).*$/gm, '');
  const literal =
    /(?<=[=(,:!&|?[{};\n]\s*|return )\/(?![/*\s])((?:\\.|\[(?:\\.|[^\]\n])*\]|[^/\n\\[])+)\/[dgimsuvy]*/g;
  return [...code.matchAll(literal)].map(([, pattern = '']) => pattern).filter(isPattern);
}

function isPattern(text: string): boolean {
  try {
    new RegExp(text);
    return true;
  } catch {
    return false;
  }
}
