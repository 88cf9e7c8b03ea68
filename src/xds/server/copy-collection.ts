// How long the copies of responses may lie about. gRPC copies each response for each client, and V8 starts a
// full collection for every 64 MB of such buffers, however little else there is to collect: for a fleet,
// several an edit. While the process is small it is told to count them as part of its heap instead, whose
// collections come with its growth.
import { setFlagsFromString } from 'node:v8';

export interface CopyCollectionOptions {
  /** Resident memory in bytes. */
  readonly resident: () => number;
  readonly setLazy: (lazy: boolean) => void;
}

const checkEachBytes = 32 * 2 ** 20;
/** From here on copies are collected as soon as V8 would by itself. */
const smallBytes = 640 * 2 ** 20;

const thisProcess: CopyCollectionOptions = {
  resident: () => process.memoryUsage.rss(),
  setLazy: (lazy) => setFlagsFromString(`--${lazy ? '' : 'no-'}external-memory-accounted-in-global-limit`),
};

export class CopyCollection {
  readonly #options: CopyCollectionOptions;
  #unchecked = checkEachBytes;
  #isLazy = false;

  constructor(options: CopyCollectionOptions = thisProcess) {
    this.#options = options;
  }

  copied(bytes: number): void {
    this.#unchecked += bytes;
    if (this.#unchecked < checkEachBytes) return;
    this.#unchecked = 0;
    const isLazy = this.#options.resident() < smallBytes;
    if (isLazy === this.#isLazy) return;
    this.#isLazy = isLazy;
    this.#options.setLazy(isLazy);
  }
}
