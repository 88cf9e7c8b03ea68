// The responses of one stream. Few are under way at a time, so that what a slow client gets next is the
// latest, and streams share a budget.
import type { ServerStream } from './grpc-service.ts';
import type { SendBudget } from './send-budget.ts';

/** How many responses may be under way before the next waits: a change is often one of each type. */
const maxUnwritten = 5;

export class ResponseStream {
  readonly #stream: Pick<ServerStream, 'write'>;
  readonly #budget: SendBudget;
  /** Called when there is room again after there was none. */
  readonly #onRoom: () => void;
  readonly #unwritten = new Set<() => void>();
  #isAwaited = false;

  constructor(stream: Pick<ServerStream, 'write'>, budget: SendBudget, onRoom: () => void) {
    this.#stream = stream;
    this.#budget = budget;
    this.#onRoom = onRoom;
  }

  maySend(): boolean {
    if (this.#unwritten.size < maxUnwritten) return this.#budget.hasRoom(this.#onRoom);
    this.#isAwaited = true;
    return false;
  }

  send(message: Uint8Array): void {
    const giveBack = this.#budget.take(message.length);
    this.#unwritten.add(giveBack);
    this.#stream.write(message, () => this.#written(giveBack));
  }

  close(): void {
    this.#budget.leave(this.#onRoom);
    for (const giveBack of this.#unwritten) giveBack();
    this.#unwritten.clear();
  }

  #written(giveBack: () => void): void {
    if (!this.#unwritten.delete(giveBack)) return;
    giveBack();
    if (!this.#isAwaited) return;
    this.#isAwaited = false;
    this.#onRoom();
  }
}
