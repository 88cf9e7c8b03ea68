// The text of a file, or why there is none. What is no ordinary file is never opened: a FIFO would be waited
// for.
import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats, statSync } from 'node:fs';
import { type ParsedFile, type SourceText, unreadableFile } from '../config/index.ts';

const mostBytes = 100_000_000;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** `problem` is a finding about the file as a whole. */
export type TextOrProblem = { readonly source: SourceText } | { readonly problem: ParsedFile };

export function readText(file: string): TextOrProblem {
  let descriptor: number | undefined;
  try {
    // A socket cannot be opened, so it is looked at first; what was opened may be something else by then.
    const before = problemOf(file, statSync(file));
    if (before) return { problem: before };
    descriptor = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK);
    const stats = fstatSync(descriptor);
    const problem = problemOf(file, stats);
    return problem ? { problem } : { source: { file, text: decoder.decode(readFileSync(descriptor)) } };
  } catch (error) {
    return { problem: readProblem(file, error) };
  } finally {
    if (descriptor !== undefined) closeSync(descriptor);
  }
}

/** Why a thing of the file system is not to be opened. */
export function problemOf(file: string, stats: Stats): ParsedFile | undefined {
  if (!stats.isFile())
    return unreadableFile(file, 'MT0010', `cannot be read: it is ${kindOf(stats)}, not a file`);
  return stats.size > mostBytes
    ? unreadableFile(file, 'MT0003', `the file has more than ${mostBytes} bytes`)
    : undefined;
}

export function readProblem(file: string, error: unknown): ParsedFile {
  const { code, message } =
    error instanceof Error ? (error as NodeJS.ErrnoException) : { code: undefined, message: String(error) };
  if (code === 'ERR_ENCODING_INVALID_ENCODED_DATA')
    return unreadableFile(
      file,
      'MT0002',
      'the file is not text in UTF-8: it holds other bytes, or another encoding such as UTF-16',
    );
  return unreadableFile(file, 'MT0010', `cannot be read: ${reasons[code ?? ''] ?? message}`);
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'it is a symbolic link that leads back to itself',
  EISDIR: 'it is a folder',
};

function kindOf(stats: Stats): string {
  if (stats.isFIFO()) return 'a named pipe';
  if (stats.isSocket()) return 'a socket';
  return stats.isDirectory() ? 'a folder' : 'a device';
}
