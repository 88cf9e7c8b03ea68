// Bytes that wait for more of their kind: kept in one buffer that doubles, so that a slow sender costs no
// copy of everything for each piece.

const smallest = 512;

export class PendingBytes {
  #bytes: Buffer = nothing;
  #start = 0;
  #end = 0;

  get bytes(): Buffer {
    return this.#bytes;
  }

  get start(): number {
    return this.#start;
  }

  get end(): number {
    return this.#end;
  }

  get length(): number {
    return this.#end - this.#start;
  }

  append(bytes: Buffer, start: number, end: number): void {
    this.#reserve(end - start);
    bytes.copy(this.#bytes, this.#end, start, end);
    this.#end += end - start;
  }

  /** Drops that many from the front. */
  consume(count: number): void {
    this.#start += count;
    if (this.#start >= this.#end) this.clear();
  }

  clear(): void {
    this.#bytes = nothing;
    this.#start = 0;
    this.#end = 0;
  }

  #reserve(more: number): void {
    if (this.#end + more <= this.#bytes.length) return;
    const length = this.length;
    const capacity = Math.max(smallest, 2 * (length + more));
    const grown = Buffer.allocUnsafe(capacity);
    this.#bytes.copy(grown, 0, this.#start, this.#end);
    this.#bytes = grown;
    this.#start = 0;
    this.#end = length;
  }
}

const nothing = Buffer.alloc(0);
