// One file of access logs. Lines wait for a second or for 64 KB of them, as in Envoy; nobody waits for the
// disk but the process at its end.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/bootstrap/v3/bootstrap.proto (file_flush_interval)
import fs from 'node:fs';

const flushBytes = 64 * 1024;
const flushMs = 1000;
/** What waits for a disk or reader that does not keep up; more is dropped. */
const mostWaiting = 16 << 20;
const retryMs = 50;

/** Every file that is open: at the end of the process they are written. */
const open = new Set<LogFile>();
let watchesExit = false;

export class LogFile {
  readonly #path: string;
  #fd: number;
  #buffer = Buffer.allocUnsafeSlow(flushBytes);
  /** Written, and free for the next lines: memory outside of the heap makes the collector run early. */
  #spare: Buffer<ArrayBuffer> | undefined;
  #used = 0;
  #queue: Buffer[] = [];
  #waiting = 0;
  #writing = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(path: string) {
    this.#path = path;
    this.#fd = openFile(path);
    open.add(this);
    if (watchesExit) return;
    watchesExit = true;
    process.on('exit', () => {
      for (const file of open) file.flush();
    });
  }

  /** One byte a character. */
  write(line: string): void {
    if (this.#used + line.length > flushBytes) this.#send();
    if (line.length > flushBytes) {
      this.#put(Buffer.from(line, 'latin1'));
      this.#send();
      return;
    }
    this.#used += this.#buffer.write(line, this.#used, 'latin1');
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#send();
    }, flushMs).unref();
  }

  /** Writes all that waits, and returns when it is written. */
  flush(): void {
    this.#take();
    const queue = this.#queue;
    this.#queue = [];
    this.#waiting = 0;
    for (const bytes of queue) writeAll(this.#fd, bytes);
  }

  reopen(): void {
    this.flush();
    if (isStream(this.#fd)) return;
    try {
      const fd = openFile(this.#path);
      fs.closeSync(this.#fd);
      this.#fd = fd;
    } catch {
      // The old one goes on.
    }
  }

  close(): void {
    clearTimeout(this.#timer);
    this.flush();
    open.delete(this);
    // A write that is under way ends first.
    if (!isStream(this.#fd) && !this.#writing) fs.closeSync(this.#fd);
  }

  #take(): void {
    if (this.#used === 0) return;
    const bytes = this.#buffer.subarray(0, this.#used);
    this.#buffer = this.#spare ?? Buffer.allocUnsafeSlow(flushBytes);
    this.#spare = undefined;
    this.#used = 0;
    this.#put(bytes);
  }

  #put(bytes: Buffer): void {
    if (this.#waiting + bytes.length > mostWaiting) return;
    this.#queue.push(bytes);
    this.#waiting += bytes.length;
  }

  #send(): void {
    this.#take();
    const [next] = this.#queue;
    if (this.#writing || !next) return;
    this.#queue.shift();
    this.#writing = true;
    fs.write(this.#fd, next, (error, written) => {
      this.#writing = false;
      const busy = error?.code === 'EAGAIN';
      // What cannot be written is lost; what only has to wait is not.
      const lost = error && !busy ? next.length : 0;
      const rest = next.subarray(error ? lost : written);
      this.#waiting = Math.max(0, this.#waiting - next.length + rest.length);
      if (rest.length > 0) this.#queue.unshift(rest);
      else this.#spare ??= wholeOf(next);
      if (busy) setTimeout(() => this.#send(), retryMs).unref();
      else this.#send();
    });
  }
}

function wholeOf({ buffer }: Buffer): Buffer<ArrayBuffer> | undefined {
  return buffer instanceof ArrayBuffer && buffer.byteLength === flushBytes ? Buffer.from(buffer) : undefined;
}

function openFile(path: string): number {
  if (path === '/dev/stdout') return 1;
  return path === '/dev/stderr' ? 2 : fs.openSync(path, 'a', 0o644);
}

function isStream(fd: number): boolean {
  return fd === 1 || fd === 2;
}

/** A pipe that is full is waited for, but not for ever. */
function writeAll(fd: number, bytes: Buffer): void {
  let at = 0;
  for (let tries = 0; at < bytes.length && tries < 1000; tries++) {
    try {
      at += fs.writeSync(fd, bytes, at);
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) return;
      Atomics.wait(pause, 0, 0, 1);
    }
  }
}

const pause = new Int32Array(new SharedArrayBuffer(4));
