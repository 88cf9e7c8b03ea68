// A connection for tests: what is written to it, and what they say that it receives.
import type { Wire, WireEvents } from '../../net/wire.ts';

export class FakeWire implements Wire {
  readonly remoteAddress = '';
  readonly remotePort = 0;
  readonly tls = undefined;
  readonly bytesWritten = 0;
  /** As when its peer reads too slowly. */
  backedUp = false;
  written = '';
  paused = false;
  ended = false;
  destroyed = false;
  wasReset = false;
  events: WireEvents | undefined;

  attach(events: WireEvents): void {
    this.events = events;
  }
  writeText(text: string): boolean {
    this.written += text;
    return !this.backedUp;
  }
  writeBytes(bytes: Uint8Array): boolean {
    return this.writeText(Buffer.from(bytes).toString('latin1'));
  }
  writeBoth(text: string, bytes: Uint8Array): boolean {
    this.writeText(text);
    return this.writeBytes(bytes);
  }
  pause(): void {
    this.paused = true;
  }
  resume(): void {
    this.paused = false;
  }
  end(): void {
    this.ended = true;
  }
  reset(): void {
    this.wasReset = true;
    this.destroy();
  }
  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.events?.onClose(undefined);
  }
  receive(text: string): void {
    const bytes = Buffer.from(text, 'latin1');
    this.events?.onBytes(bytes, 0, bytes.length);
  }
  /** What its peer did not read until now has gone. */
  drained(): void {
    this.backedUp = false;
    this.events?.onDrain();
  }
  /** What was written since the last time. */
  take(): string {
    const { written } = this;
    this.written = '';
    return written;
  }
}
