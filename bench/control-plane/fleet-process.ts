// Many proxies in one process, which tells when the last of them has received something.
import { setFlagsFromString } from 'node:v8';
import { AdsClient, type Shared } from './ads-client.ts';
import { type FromFleet, type Mode, monotonicMs, type ToFleet } from './messages.ts';

/** Proxies that start at the same time. */
const startingTogether = 8;

// Many proxies in one process would have collections that no proxy has: what they receive is counted with the
// heap, not collected every 64 MB.
setFlagsFromString('--external-memory-accounted-in-global-limit');

let bytes = 0;
let waiting: Set<number> | undefined;

process.on('disconnect', () => process.exit());
process.on('message', (message: ToFleet) => {
  switch (message.kind) {
    case 'connect':
      void connectAll(message.address, message.proxies, message.mode);
      return;
    case 'arm':
      bytes = 0;
      waiting = new Set(all.keys());
      tell({ kind: 'armed' });
      return;
    case 'disarm':
      waiting = undefined;
      tell({ kind: 'disarmed', bytes });
  }
});

const all: AdsClient[] = [];

async function connectAll(address: string, proxies: number, mode: Mode): Promise<void> {
  const shared: Shared = {};
  await connectOne(address, mode, shared);
  const connectSome = async (): Promise<void> => {
    while (all.length < proxies) await connectOne(address, mode, shared);
  };
  await Promise.all(Array.from({ length: startingTogether }, connectSome));
  tell({ kind: 'connected', bytes });
}

function connectOne(address: string, mode: Mode, shared: Shared): Promise<void> {
  const index = all.length;
  return new Promise((resolve) => {
    const onMessage = (size: number): void => {
      bytes += size;
      if (!waiting?.delete(index) || waiting.size > 0) return;
      waiting = undefined;
      tell({ kind: 'received', lastMs: monotonicMs(), bytes });
    };
    all.push(new AdsClient({ address, mode, index, shared, onMessage, onComplete: resolve }));
  });
}

function tell(message: FromFleet): void {
  process.send?.(message);
}
