// Splits a byte stream into HTTP/1 messages, whatever the sizes of the pieces it arrives in.
import { ambiguous, chunked, type Framing, unknownCoding, untilClose } from '../http/framing.ts';
import type { Headers } from '../http/headers.ts';
import {
  type HeadProblem,
  requestProblem,
  responseProblem,
  type ScannedHead,
  scanHead,
  scanTrailers,
} from './head-scanner.ts';
import { PendingBytes } from './pending-bytes.ts';

export type ReadProblem = HeadProblem | 'head-too-large' | 'bad-framing' | 'unknown-coding' | 'bad-chunk';

export interface MessageEvents {
  /**
   * Answers how the body is framed; `hold` keeps the bytes that follow until `tunnel` or `discard` is called.
   */
  framing(head: ScannedHead): Framing | 'hold' | 'interim';
  /** `full` is the whole body when it came along with the head, one byte a character. */
  onHead(head: ScannedHead, end: boolean, full: string | undefined): void;
  /** The chunk is borrowed. */
  onBody(chunk: Buffer, end: boolean): void;
  onTrailers(trailers: Headers): void;
  onProblem(problem: ReadProblem): void;
}

const phase = {
  head: 0,
  length: 1,
  chunkSize: 2,
  chunkData: 3,
  chunkEnd: 4,
  trailers: 5,
  close: 6,
  done: 7,
  hold: 8,
  tunnel: 9,
  dead: 10,
} as const;
type State = (typeof phase)[keyof typeof phase];

const maxChunkLine = 4096;
/** Bodies up to this size travel as text together with their head. */
const smallBody = 16 * 1024;
const LF = 10;
const CR = 13;
const nothing = Buffer.alloc(0);

export interface ReadLimits {
  /** Or responses. */
  readonly request: boolean;
  readonly maxHeaders: number;
  readonly maxHeadBytes: number;
}

export const usualLimits = { maxHeaders: 100, maxHeadBytes: 60 * 1024 } as const;

export class H1Reader {
  readonly #events: MessageEvents;
  readonly #request: boolean;
  readonly #maxHeaders: number;
  readonly #maxHead: number;
  readonly #pending = new PendingBytes();
  #state: State = phase.head;
  /** How far into the pending bytes the end of the head has been looked for. */
  #searched = 0;
  #left = 0;
  #stepping = false;

  constructor(events: MessageEvents, limits: ReadLimits) {
    this.#events = events;
    this.#request = limits.request;
    this.#maxHeaders = limits.maxHeaders;
    this.#maxHead = limits.maxHeadBytes;
  }

  /** Between messages, nothing read of the next one. */
  get idle(): boolean {
    return this.#state === phase.head && this.#pending.length === 0;
  }

  /** A part of a head has come. */
  get inHead(): boolean {
    return this.#state === phase.head && this.#pending.length > 0;
  }

  get done(): boolean {
    return this.#state === phase.done;
  }

  /** Bytes wait until somebody says what they are. */
  get waits(): boolean {
    return this.#state === phase.done || this.#state === phase.hold;
  }

  get pendingLength(): number {
    return this.#pending.length;
  }

  /** Takes bytes up to the end of a message; what follows is kept until `next`. The bytes are borrowed. */
  feed(bytes: Buffer, start: number, end: number): void {
    const pending = this.#pending;
    if (pending.length > 0) {
      if (this.#state === phase.dead) return;
      pending.append(bytes, start, end);
      this.#replay();
      return;
    }
    const used = this.#steps(bytes, start, end);
    if (start + used < end && this.#state !== phase.dead) pending.append(bytes, start + used, end);
  }

  /** Goes on to the next message, if it has begun to arrive. */
  next(): void {
    this.#state = phase.head;
    this.#searched = 0;
    this.#replay();
  }

  /** From here on the connection carries bytes of another protocol. */
  tunnel(): void {
    this.#state = phase.tunnel;
    this.#replay();
  }

  /** The peer ended its side. Returns false when that cut a message. */
  finish(): boolean {
    if (this.#state === phase.close || this.#state === phase.tunnel) {
      this.#state = phase.done;
      this.#events.onBody(nothing, true);
      return true;
    }
    return this.#state === phase.done || this.#state === phase.dead || this.idle;
  }

  /** What comes from here on means nothing. */
  discard(): void {
    this.#state = phase.dead;
    this.#pending.clear();
  }

  #replay(): void {
    const pending = this.#pending;
    // A step under way goes on by itself.
    if (this.#stepping || pending.length === 0) return;
    const used = this.#steps(pending.bytes, pending.start, pending.end);
    if (this.#state === phase.dead) pending.clear();
    else pending.consume(used);
  }

  /** Goes as far as the bytes allow, and returns how many that were. */
  #steps(bytes: Buffer, start: number, end: number): number {
    this.#stepping = true;
    let at = start;
    try {
      while (at < end) {
        const used = this.#step(bytes, at, end);
        if (used === 0) break;
        at += used;
      }
    } finally {
      this.#stepping = false;
    }
    return at - start;
  }

  /** Consumes a piece; 0 means that more bytes (or `next`) are needed. */
  #step(bytes: Buffer, at: number, end: number): number {
    switch (this.#state) {
      case phase.head:
        return this.#head(bytes, at, end);
      case phase.length:
        return this.#counted(bytes, at, end);
      case phase.chunkSize:
        return this.#chunkSize(bytes, at, end);
      case phase.chunkData:
        return this.#chunkData(bytes, at, end);
      case phase.chunkEnd:
        return this.#chunkEnd(bytes, at, end);
      case phase.trailers:
        return this.#trailers(bytes, at, end);
      case phase.close:
      case phase.tunnel:
        this.#events.onBody(bytes.subarray(at, end), false);
        return end - at;
      case phase.dead:
        return end - at;
      default:
        return 0;
    }
  }

  #head(bytes: Buffer, at: number, end: number): number {
    // A robust server skips empty lines before a request line (RFC 9112 section 2.2).
    if (this.#request && bytes[at] === CR && (end - at < 2 || bytes[at + 1] === LF))
      return end - at < 2 ? 0 : 2;
    const headEnd = findEnd(bytes, at, end, at + this.#searched);
    if (headEnd < 0) {
      // What cannot become a message, such as a TLS handshake or another protocol's greeting, is not waited
      // for.
      const problem = this.#request ? requestProblem(bytes, at, end) : responseProblem(bytes, at, end);
      if (problem) return this.#fail(problem);
      this.#searched = Math.max(0, end - at - 3);
      return end - at > this.#maxHead ? this.#fail('head-too-large') : 0;
    }
    this.#searched = 0;
    if (headEnd - at > this.#maxHead) return this.#fail('head-too-large');
    const head = scanHead(bytes, at, headEnd, { request: this.#request, maxHeaders: this.#maxHeaders });
    if (typeof head === 'string') return this.#fail(head);
    const framing = this.#events.framing(head);
    return framing === 'interim'
      ? this.#interim(head, headEnd - at)
      : this.#begin(head, framing, bytes, headEnd, end) + headEnd - at;
  }

  #interim(head: ScannedHead, length: number): number {
    this.#events.onHead(head, false, undefined);
    return length;
  }

  /** Reports the head and returns how many bytes of the body went with it. */
  #begin(head: ScannedHead, framing: Framing | 'hold', bytes: Buffer, at: number, end: number): number {
    if (framing === 'hold') {
      this.#state = phase.hold;
      this.#events.onHead(head, false, undefined);
    } else if (framing === 0) {
      this.#state = phase.done;
      this.#events.onHead(head, true, undefined);
    } else if (framing > 0 && framing <= smallBody && framing <= end - at) {
      this.#state = phase.done;
      this.#events.onHead(head, true, bytes.toString('latin1', at, at + framing));
      return framing;
    } else if (framing === ambiguous || framing === unknownCoding) {
      this.#fail(framing === ambiguous ? 'bad-framing' : 'unknown-coding');
    } else {
      this.#state = phaseOfBody(framing);
      this.#left = framing;
      this.#events.onHead(head, false, undefined);
    }
    return 0;
  }

  #counted(bytes: Buffer, at: number, end: number): number {
    const length = Math.min(this.#left, end - at);
    this.#left -= length;
    const last = this.#left === 0;
    if (last) this.#state = phase.done;
    this.#events.onBody(bytes.subarray(at, at + length), last);
    return length;
  }

  #chunkSize(bytes: Buffer, at: number, end: number): number {
    let size = 0;
    let i = at;
    for (; i < end; i++) {
      const digit = hexDigit(bytes[i] ?? 0);
      if (digit < 0) break;
      size = size * 16 + digit;
      if (i - at > 12) return this.#fail('bad-chunk');
    }
    if (i < end && i === at) return this.#fail('bad-chunk');
    const digits = i;
    // Extensions are allowed and ignored, but must be free of control characters (RFC 9112 section 7.1.1).
    while (i < end && bytes[i] !== CR) {
      const byte = bytes[i] ?? 0;
      if ((i === digits && byte !== 0x3b && byte !== 0x20 && byte !== 9) || byte === LF || byte === 0)
        return this.#fail('bad-chunk');
      i++;
    }
    if (i + 1 >= end) return i - at > maxChunkLine ? this.#fail('bad-chunk') : 0;
    if (bytes[i + 1] !== LF || i - at > maxChunkLine) return this.#fail('bad-chunk');
    this.#left = size;
    this.#state = size === 0 ? phase.trailers : phase.chunkData;
    return i + 2 - at;
  }

  #chunkData(bytes: Buffer, at: number, end: number): number {
    const length = Math.min(this.#left, end - at);
    this.#left -= length;
    if (this.#left === 0) this.#state = phase.chunkEnd;
    this.#events.onBody(bytes.subarray(at, at + length), false);
    return length;
  }

  #chunkEnd(bytes: Buffer, at: number, end: number): number {
    if (bytes[at] !== CR || (end - at > 1 && bytes[at + 1] !== LF)) return this.#fail('bad-chunk');
    if (end - at < 2) return 0;
    this.#state = phase.chunkSize;
    return 2;
  }

  #trailers(bytes: Buffer, at: number, end: number): number {
    if (end - at < 2) return 0;
    if (bytes[at] === CR && bytes[at + 1] === LF) {
      this.#state = phase.done;
      this.#events.onBody(nothing, true);
      return 2;
    }
    const blockEnd = findEnd(bytes, at, end, at + this.#searched);
    if (blockEnd < 0) {
      this.#searched = Math.max(0, end - at - 3);
      return end - at > this.#maxHead ? this.#fail('head-too-large') : 0;
    }
    this.#searched = 0;
    const trailers = scanTrailers(bytes, at, blockEnd, this.#maxHeaders);
    if (typeof trailers === 'string') return this.#fail(trailers);
    this.#state = phase.done;
    this.#events.onTrailers(trailers);
    return blockEnd - at;
  }

  #fail(problem: ReadProblem): 0 {
    this.#state = phase.dead;
    this.#events.onProblem(problem);
    return 0;
  }
}

/**
 * The byte after the empty line that ends a head, or -1. Lines that end in a bare LF count too: the scanner
 * then refuses them.
 */
function findEnd(bytes: Buffer, at: number, end: number, from: number): number {
  for (let i = Math.max(at, from); i < end; i++) {
    if (bytes[i] !== LF) continue;
    if (bytes[i + 1] === CR && bytes[i + 2] === LF && i + 2 < end) return i + 3;
    if (bytes[i + 1] === LF && i + 1 < end) return i + 2;
  }
  return -1;
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48;
  const letter = byte | 0x20;
  return letter >= 97 && letter <= 102 ? letter - 87 : -1;
}

function phaseOfBody(framing: Framing): State {
  if (framing === chunked) return phase.chunkSize;
  return framing === untilClose ? phase.close : phase.length;
}
