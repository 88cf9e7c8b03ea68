// The lines of a stream. One that does not end is cut: what prints without a line end must not fill the
// memory.
import type { Readable } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';

const longestLine = 16 * 1024;

export function onLines(stream: Readable, onLine: (line: string) => void): void {
  const decoder = new StringDecoder('utf8');
  let begun = '';
  let isCut = false;
  const add = (text: string): void => {
    if (isCut) return;
    begun += text;
    if (begun.length <= longestLine) return;
    onLine(`${begun.slice(0, longestLine)}…`);
    begun = '';
    isCut = true;
  };
  const end = (): void => {
    if (!isCut) onLine(begun.endsWith('\r') ? begun.slice(0, -1) : begun);
    begun = '';
    isCut = false;
  };
  stream.on('data', (chunk: Buffer) => {
    const text = decoder.write(chunk);
    let start = 0;
    for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', start)) {
      add(text.slice(start, at));
      end();
      start = at + 1;
    }
    add(text.slice(start));
  });
  stream.on('end', () => {
    if (begun !== '') end();
  });
}
