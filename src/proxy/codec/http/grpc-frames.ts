// Cuts a byte stream into gRPC frames: a byte of flags, four of length, the message.

export class GrpcFrames {
  #rest: Buffer = Buffer.alloc(0);

  /** The frames that are whole now, heads included. */
  take(bytes: Buffer): readonly Buffer[] {
    let left = this.#rest.length === 0 ? bytes : Buffer.concat([this.#rest, bytes]);
    const frames: Buffer[] = [];
    while (left.length >= 5) {
      const length = 5 + left.readUInt32BE(1);
      if (left.length < length) break;
      frames.push(left.subarray(0, length));
      left = left.subarray(length);
    }
    // The bytes are borrowed: what is kept must be a copy.
    this.#rest = Buffer.from(left);
    return frames;
  }
}
