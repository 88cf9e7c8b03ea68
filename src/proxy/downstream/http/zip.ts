// One body through one of node:zlib's transforms.
import zlib from 'node:zlib';
import type { Coding } from '../../filters/coding/coding-plan.ts';
import type { Direction, Zip, ZipOutput } from '../../filters/coding/codings.ts';

/** Both types of node:zlib's transforms have it, and their common base does not say so. */
interface Flushable {
  flush(kind?: number, done?: () => void): void;
}

/** More than this many bytes out of one byte in is an attack (Envoy's default for gzip). */
const maxRatio = 100;
const freely = 1 << 16;

export function openZip(coding: Coding, direction: Direction, output: ZipOutput): Zip {
  return new NodeZip(coding, direction, output);
}

class NodeZip implements Zip {
  readonly #stream: zlib.Gzip | zlib.BrotliCompress;
  readonly #limited: boolean;
  #in = 0;
  #out = 0;

  constructor(coding: Coding, direction: Direction, output: ZipOutput) {
    this.#stream = transforms[direction][coding]() as zlib.Gzip;
    this.#limited = direction === 'decompress';
    this.#stream.on('data', (chunk: Buffer) => {
      this.#out += chunk.length;
      if (this.#limited && this.#out > freely && this.#out > this.#in * maxRatio) {
        this.destroy();
        output.failed();
      } else if (!output.data(chunk)) this.#stream.pause();
    });
    this.#stream.on('end', () => output.end());
    this.#stream.on('drain', () => output.drain());
    this.#stream.on('error', () => output.failed());
  }

  /** The chunk is borrowed. Returns false when `drain` is to be waited for. */
  write(chunk: Buffer): boolean {
    this.#in += chunk.length;
    return this.#stream.write(Buffer.from(chunk));
  }

  /** What was written must be readable on the other side now. */
  flush(): void {
    (this.#stream as Flushable).flush();
  }

  end(): void {
    this.#stream.end();
  }

  resume(): void {
    this.#stream.resume();
  }

  destroy(): void {
    this.#stream.removeAllListeners('data').destroy();
  }
}

const transforms: Readonly<Record<Direction, Readonly<Record<Coding, () => unknown>>>> = {
  compress: {
    gzip: () => zlib.createGzip({ flush: zlib.constants.Z_NO_FLUSH }),
    br: () => zlib.createBrotliCompress({ params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 3 } }),
    zstd: () => zlib.createZstdCompress(),
  },
  decompress: {
    gzip: () => zlib.createGunzip(),
    br: () => zlib.createBrotliDecompress(),
    zstd: () => zlib.createZstdDecompress(),
  },
};
