// Flow collections and quoted texts whose later lines stand further left than YAML wants, `]` at the
// indentation of its key above all. Kubernetes' own reader (go-yaml) takes them, so users write them; between
// their brackets and quotes leading blanks mean nothing.

export interface Repaired {
  readonly text: string;
  /** How many blanks were put before each line that needed some, by its number in the text, from 0. */
  readonly padding: ReadonlyMap<number, number>;
}

/**
 * How much text may be read again for the sake of repairs; each repair reads the whole document once more.
 */
const mostCharactersAgain = 20_000_000;

/**
 * Reads `text`, and as long as `read` throws for the indentation of a line inside brackets or quotes, reads
 * it again with that line moved to the right. `lineOf` tells from an error which line that is; undefined for
 * any other error.
 */
export function readRepaired<T>(
  original: string,
  read: (text: string) => T,
  lineOf: (error: unknown) => number | undefined,
): Repaired & ({ readonly value: T } | { readonly error: unknown }) {
  const padding = new Map<number, number>();
  let text = original;
  for (let budget = mostCharactersAgain; ; budget -= text.length) {
    try {
      return { text, padding, value: read(text) };
    } catch (error) {
      const line = lineOf(error);
      if (line === undefined || padding.has(line) || budget < text.length) return { text, padding, error };
      const lines = text.split('\n');
      const blanks = deepestIndentation(lines) + 1;
      padding.set(line, blanks);
      lines[line] = ' '.repeat(blanks) + (lines[line] ?? '');
      text = lines.join('\n');
    }
  }
}

const mostBlanks = 200;

function deepestIndentation(lines: readonly string[]): number {
  let deepest = 0;
  for (const line of lines) deepest = Math.max(deepest, line.length - line.trimStart().length);
  return Math.min(deepest, mostBlanks);
}
