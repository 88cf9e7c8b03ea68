// The documents of a YAML stream as texts, found line by line in one pass: a broken one does not take the
// others with it.

/** A part of a file between two `---`. */
export interface Chunk {
  readonly text: string;
  /** Where its text begins, 1-based. */
  readonly line: number;
  /** Where its first value stands: blank lines, comments and the `---` before it are passed over. */
  readonly contentLine: number;
}

/**
 * Parts without a value are left out. A `---` in the first column ends a document whatever stands around it:
 * https://yaml.org/spec/1.2.2/#rule-c-forbidden
 */
export function splitDocuments(text: string): Chunk[] {
  const chunks: Chunk[] = [];
  let start = 0;
  let line = 1;
  let startLine = 1;
  let contentLine = 0;
  const push = (end: number): void => {
    if (contentLine > 0) chunks.push({ text: text.slice(start, end), line: startLine, contentLine });
    start = end;
    startLine = line;
    contentLine = 0;
  };
  for (let at = 0; at < text.length; line++) {
    const next = text.indexOf('\n', at) + 1 || text.length;
    const isMark = isDocumentMark(text, at);
    if (isMark && at > start) push(at);
    if (contentLine === 0 && hasContent(text, isMark ? at + markLength : at, next)) contentLine = line;
    at = next;
  }
  push(text.length);
  return chunks;
}

const markLength = 3;
const [tab, lineFeed, carriageReturn, space, hash, percent] = [9, 10, 13, 32, 35, 37];

function isDocumentMark(text: string, at: number): boolean {
  if (!text.startsWith('---', at)) return false;
  const after = text.charCodeAt(at + markLength);
  return Number.isNaN(after) || isBlank(after);
}

/** Whether anything but blanks, a comment or a directive stands in this line. */
function hasContent(text: string, from: number, to: number): boolean {
  for (let at = from; at < to; at++) {
    const code = text.charCodeAt(at);
    if (!isBlank(code)) return code !== hash && code !== percent;
  }
  return false;
}

function isBlank(code: number): boolean {
  return code === space || code === tab || code === lineFeed || code === carriageReturn;
}
