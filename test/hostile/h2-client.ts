// A client connection of hand-made HTTP/2 frames.
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { ack, type Frame, frame, frameType, preface, statusOf, takeFrames } from './h2-frames.ts';

export class H2Client {
  readonly socket: Socket;
  readonly #frames: Frame[] = [];
  #rest: Buffer = Buffer.alloc(0);
  #end: 'open' | 'fin' | 'reset' = 'open';
  #heard: () => void = () => undefined;

  /** `reads: false` leaves what the proxy sends in the kernel. */
  private constructor(socket: Socket, reads: boolean) {
    this.socket = socket;
    socket.on('error', () => undefined);
    const over = (end: 'fin' | 'reset'): void => {
      if (this.#end === 'open') this.#end = end;
      this.#heard();
    };
    socket.on('end', () => over('fin'));
    socket.on('close', () => over('reset'));
    if (reads) socket.on('data', (chunk: Buffer) => this.#received(chunk));
  }

  static async open(port: number, settings: Buffer = Buffer.alloc(0), reads = true): Promise<H2Client> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    const client = new H2Client(socket, reads);
    await once(socket, 'connect');
    client.send(preface, frame(frameType.settings, 0, 0, settings));
    return client;
  }

  get frames(): readonly Frame[] {
    return this.#frames;
  }

  get end(): 'open' | 'fin' | 'reset' {
    return this.#end;
  }

  /** Returns false when the kernel takes no more for now. */
  send(...frames: readonly Buffer[]): boolean {
    return this.socket.destroyed ? false : this.socket.write(Buffer.concat(frames));
  }

  /** Waits until a frame (or the end) makes the condition true, or for the time. */
  async until(condition: (client: H2Client) => boolean, limitMs: number): Promise<boolean> {
    const limit = performance.now() + limitMs;
    while (!condition(this)) {
      const left = limit - performance.now();
      if (left <= 0 || (this.#end !== 'open' && !condition(this))) return condition(this);
      await this.#next(left);
    }
    return true;
  }

  /** Until nothing has come for that long. */
  async quiet(quietMs: number): Promise<void> {
    for (let seen = -1; seen !== this.#frames.length && this.#end === 'open'; ) {
      seen = this.#frames.length;
      await this.#next(quietMs);
    }
  }

  close(): void {
    this.socket.destroy();
  }

  #next(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#heard = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  #received(chunk: Buffer): void {
    const { frames, rest } = takeFrames(Buffer.concat([this.#rest, chunk]));
    this.#rest = rest;
    for (const one of frames) {
      this.#frames.push(one);
      if (one.type === frameType.settings && !(one.flags & ack)) this.send(frame(frameType.settings, ack, 0));
    }
    this.#heard();
  }
}

/** What became of a stream in words that can be compared: a status, a reset, or the end of the connection. */
export function outcome(client: H2Client, stream = 1): string {
  const heads = client.frames
    .filter((one) => one.type === frameType.headers && one.stream === stream)
    .map((one) => statusOf(one.payload));
  const reset = client.frames.find((one) => one.type === frameType.reset && one.stream === stream);
  const goAway = client.frames.find((one) => one.type === frameType.goAway);
  const parts = [...heads.slice(0, 1), ...(reset ? [`reset ${reset.payload.readUInt32BE(0)}`] : [])];
  if (goAway && goAway.payload.readUInt32BE(4) !== 0) parts.push('goaway');
  else if (parts.length === 0 && client.end !== 'open') parts.push('closed');
  return parts.length === 0 ? 'nothing' : parts.join(', ');
}
