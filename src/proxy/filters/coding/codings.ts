// What the compression filters need of a library for the codings.
import type { Coding } from './coding-plan.ts';

export type Direction = 'compress' | 'decompress';

export interface ZipOutput {
  /** Returns false when the receiver wants a pause. */
  data(chunk: Buffer): boolean;
  end(): void;
  drain(): void;
  failed(): void;
}

/** One body on its way through a coding. */
export interface Zip {
  /** The chunk is borrowed. Returns false when `drain` is to be waited for. */
  write(chunk: Buffer): boolean;
  /** What was written must be readable on the other side now. */
  flush(): void;
  end(): void;
  resume(): void;
  destroy(): void;
}

export type Codings = (coding: Coding, direction: Direction, output: ZipOutput) => Zip;
