// HTTP/2 floods: the proxy lives, ends the connection that floods it, holds little, and serves another client
// meanwhile.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { H2Client } from './h2-client.ts';
import {
  ack,
  block,
  endHeaders,
  endStream,
  type Fields,
  frame,
  frameType,
  requestBlock,
  setting,
  uint32,
} from './h2-frames.ts';
import { send, statuses } from './raw-client.ts';
import { okResponse, onEachHead } from './raw-upstream.ts';
import { LanedProxy } from './side-by-side.ts';

/** Makes the next piece of a flood; `turn` counts from 0 on each connection. */
type Flood = (turn: number) => Buffer;

interface Scene {
  readonly flood: Flood;
  /** The proxy is to end the connections of the attacker. */
  readonly ends: boolean;
}

const durationMs = 1200;
/** On a busy machine it takes longer until the first connection is ended. */
const patienceMs = 12_000;
const allowedMb = 220;
const request = requestBlock({ path: '/x' });
const local = requestBlock({ path: '/admin' });
const cancel = uint32(8);

function repeat(count: number, make: (index: number) => Buffer): Buffer {
  return Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));
}

function opened(turn: number): Buffer {
  return turn === 0
    ? frame(frameType.headers, endHeaders, 1, requestBlock({ method: 'POST' }))
    : Buffer.alloc(0);
}

const whole = endHeaders | endStream;

const scenes: Readonly<Record<string, Scene>> = {
  'requests that are reset': {
    ends: true,
    flood: (turn) =>
      repeat(200, (k) => {
        const id = 1 + 2 * (turn * 200 + k);
        return Buffer.concat([
          frame(frameType.headers, whole, id, request),
          frame(frameType.reset, 0, id, cancel),
        ]);
      }),
  },
  'requests of which every other one is reset': {
    ends: true,
    flood: (turn) =>
      repeat(50, (k) => {
        const id = 1 + 4 * (turn * 50 + k);
        return Buffer.concat([
          frame(frameType.headers, whole, id, request),
          frame(frameType.headers, whole, id + 2, request),
          frame(frameType.reset, 0, id, cancel),
        ]);
      }),
  },
  'requests that make the proxy reset them': {
    ends: true,
    flood: (turn) =>
      repeat(200, (k) => {
        const id = 1 + 2 * (turn * 200 + k);
        return Buffer.concat([
          frame(frameType.headers, whole, id, request),
          frame(frameType.windowUpdate, 0, id, uint32(0)),
        ]);
      }),
  },
  'malformed requests': {
    ends: true,
    flood: (turn) =>
      repeat(100, (k) =>
        frame(frameType.headers, whole, 1 + 2 * (turn * 100 + k), requestBlock({ path: '/ x' })),
      ),
  },
  'requests that the proxy answers itself': {
    ends: false,
    flood: (turn) => repeat(100, (k) => frame(frameType.headers, whole, 1 + 2 * (turn * 100 + k), local)),
  },
  'a head without end': {
    ends: true,
    flood: (turn) =>
      Buffer.concat([
        turn === 0 ? frame(frameType.headers, endStream, 1, request) : Buffer.alloc(0),
        repeat(50, (k) =>
          frame(frameType.continuation, 0, 1, block([[`x${turn * 50 + k}`, 'a'.repeat(1000)]])),
        ),
      ]),
  },
  'empty CONTINUATION': {
    ends: true,
    flood: (turn) =>
      Buffer.concat([
        turn === 0 ? frame(frameType.headers, endStream, 1, request) : Buffer.alloc(0),
        repeat(500, () => frame(frameType.continuation, 0, 1)),
      ]),
  },
  SETTINGS: { ends: true, flood: () => repeat(500, () => frame(frameType.settings, 0, 0)) },
  'SETTINGS of many values': {
    ends: true,
    flood: () =>
      frame(
        frameType.settings,
        0,
        0,
        repeat(2000, () => setting(1, 4096)),
      ),
  },
  PING: { ends: true, flood: () => repeat(500, () => frame(frameType.ping, 0, 0, '12345678')) },
  'PING that answer none': {
    ends: true,
    flood: () => repeat(500, () => frame(frameType.ping, ack, 0, '12345678')),
  },
  'empty DATA': {
    ends: true,
    flood: (turn) => Buffer.concat([opened(turn), repeat(500, () => frame(frameType.data, 0, 1))]),
  },
  PRIORITY: {
    ends: true,
    flood: () =>
      repeat(500, (k) =>
        frame(frameType.priority, 0, 1 + 2 * k, Buffer.concat([uint32(0), Buffer.from([16])])),
      ),
  },
  'WINDOW_UPDATE of a stream': {
    ends: true,
    flood: (turn) =>
      Buffer.concat([opened(turn), repeat(500, () => frame(frameType.windowUpdate, 0, 1, uint32(1)))]),
  },
  'WINDOW_UPDATE of the connection': {
    ends: true,
    flood: () => repeat(500, () => frame(frameType.windowUpdate, 0, 0, uint32(1))),
  },
  'frames of an unknown type': {
    ends: true,
    flood: () => repeat(5, () => frame(0xbe, 0, 0, 'x'.repeat(16_000))),
  },
  'one large field, then its number': {
    ends: false,
    flood: (turn) => {
      const large: Fields = [['x', 'a'.repeat(4000)]];
      if (turn > 0)
        return repeat(20, (k) =>
          frame(
            frameType.headers,
            whole,
            1 + 2 * (turn * 20 + k),
            Buffer.concat([request, Buffer.alloc(14, 0xbe)]),
          ),
        );
      const [field] = large;
      const literal = block(field ? [field] : []);
      // A literal that the table keeps (RFC 7541 section 6.2.1).
      literal[0] = 0x40;
      return frame(frameType.headers, whole, 1, Buffer.concat([request, literal]));
    },
  },
};

interface Attack {
  connections: number;
  ended: number;
  other: number;
}

async function flooding(port: number, flood: Flood, going: (attack: Attack) => boolean): Promise<Attack> {
  const attack: Attack = { connections: 0, ended: 0, other: 0 };
  await Promise.all([
    attacker(port, flood, { attack, going }),
    // Another client, which must be served all the while.
    (async () => {
      do {
        const { text } = await send(port, 'GET /witness HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n', {
          patienceMs,
        });
        if (statuses(text).join() === '200') attack.other++;
      } while (going(attack));
    })(),
  ]);
  return attack;
}

interface Course {
  readonly attack: Attack;
  readonly going: (attack: Attack) => boolean;
}

async function attacker(port: number, flood: Flood, { attack, going }: Course): Promise<void> {
  while (going(attack)) {
    const client = await H2Client.open(port).catch(() => undefined);
    if (!client) continue;
    attack.connections++;
    for (let turn = 0; client.end === 'open' && going(attack); turn++) {
      const drained =
        client.send(flood(turn)) || (await client.until(() => client.socket.writableLength < 1 << 20, 50));
      // The event loop must come round for the end of the connection to be seen.
      if (drained) await new Promise(setImmediate);
    }
    if (client.end !== 'open') attack.ended++;
    client.close();
  }
}

for (const [name, { flood, ends }] of Object.entries(scenes))
  test(name, { timeout: 60_000 }, async (t) => {
    const laned = await LanedProxy.start('embedded', {
      handler: () => onEachHead((socket) => void socket.write(okResponse)),
    });
    const [lane] = laned.lanes;
    assert.ok(lane);
    try {
      const before = laned.proxy.facts.memory;
      const begun = performance.now();
      const going = ({ ended, other }: Attack): boolean => {
        const time = performance.now() - begun;
        return time < durationMs || (time < patienceMs && ((ends && ended === 0) || other === 0));
      };
      const { connections, ended, other } = await flooding(lane.port, flood, going);
      assert.ok(!(await laned.proxy.ended(200)), laned.proxy.log);
      const after = laned.proxy.facts.peakMemory;
      t.diagnostic(
        `${connections} connections, ${ended} ended; ${other} other requests; ${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`,
      );
      assert.ok(other > 0, 'no other client was served');
      if (ends) assert.ok(ended > 0, 'no connection of the attacker was ended');
      assert.ok(after - before < allowedMb, `${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`);
    } finally {
      await laned.stop();
    }
  });
