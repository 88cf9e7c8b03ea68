// Reading in bytes that came in pieces, without putting them together: a fleet in one process would spend its
// time on copies.
export class ChunkReader {
  readonly #chunks: Buffer[] = [];
  /** Read position in the first chunk. */
  #offset = 0;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  add(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
  }

  byte(): number {
    const first = this.#chunks[0];
    const value = first?.[this.#offset];
    if (value === undefined) throw new Error('read past the end');
    this.skip(1);
    return value;
  }

  varint(): number {
    let value = 0;
    for (let shift = 1; ; shift *= 128) {
      const byte = this.byte();
      value += (byte & 127) * shift;
      if (byte < 128) return value;
    }
  }

  skip(count: number): void {
    this.#offset += count;
    this.#size -= count;
    for (let first = this.#chunks[0]; first && this.#offset >= first.length; first = this.#chunks[0]) {
      this.#offset -= first.length;
      this.#chunks.shift();
    }
  }

  take(count: number): Buffer {
    const pieces: Buffer[] = [];
    for (let left = count; left > 0; ) {
      const first = this.#chunks[0]?.subarray(this.#offset, this.#offset + left);
      if (!first) throw new Error('read past the end');
      pieces.push(first);
      left -= first.length;
      this.skip(first.length);
    }
    return pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces);
  }
}
