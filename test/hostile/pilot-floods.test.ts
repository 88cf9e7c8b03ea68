// Connections to the control plane that end with many requests under way: the pilot lives, and serves another
// client meanwhile.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { H2Client } from './h2-client.ts';
import {
  block,
  endHeaders,
  endStream,
  type Fields,
  frame,
  frameType,
  requestBlock,
  uint32,
} from './h2-frames.ts';
import { entry, PilotProcess } from './pilot-process.ts';
import { AbusiveClient, clusters, nodeOf } from './xds-abuse.ts';

const durationMs = 2000;
const allowedMb = 400;
const cancel = uint32(8);
const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
const grpc: Fields = [
  ['te', 'trailers'],
  ['content-type', 'application/grpc'],
];
const call = requestBlock({ method: 'POST', path, more: grpc });
const stranger = requestBlock({ method: 'POST', path: '/no.such.Service/Method', more: grpc });
const large = requestBlock({
  method: 'POST',
  path,
  more: [...grpc, ...Array.from({ length: 8 }, (_, i) => [`x${i}`, 'a'.repeat(1000)] as const)],
});

function calls(count: number, head: Buffer, more: (id: number) => Buffer = () => Buffer.alloc(0)): Buffer {
  return Buffer.concat(
    Array.from({ length: count }, (_, k) => {
      const id = 1 + 2 * k;
      return Buffer.concat([frame(frameType.headers, endHeaders, id, head), more(id)]);
    }),
  );
}

/** The literal as one that the table keeps (RFC 7541 section 6.2.1). */
function kept(literal: Buffer): Buffer {
  literal[0] = 0x40;
  return literal;
}

/** What each connection brings before it ends. */
const scenes: Readonly<Record<string, Buffer>> = {
  'streams that stay open': calls(100, call),
  'streams with large heads': calls(100, large),
  'methods that there are none of': calls(100, stranger),
  'streams of which every other one is reset': calls(100, call, (id) =>
    id % 4 === 1 ? frame(frameType.reset, 0, id, cancel) : Buffer.alloc(0),
  ),
  'a message that stops in the middle': calls(100, call, (id) =>
    frame(frameType.data, 0, id, Buffer.from([0, 0, 1, 0, 0, 1])),
  ),
  'one large field, then its number': Buffer.concat([
    frame(frameType.headers, endHeaders, 1, Buffer.concat([call, kept(block([['x', 'a'.repeat(4000)]]))])),
    ...Array.from({ length: 90 }, (_, k) =>
      frame(frameType.headers, endHeaders, 3 + 2 * k, Buffer.concat([call, Buffer.alloc(14, 0xbe)])),
    ),
  ]),
  'a head without end': Buffer.concat([
    frame(frameType.headers, endStream, 1, call),
    ...Array.from({ length: 15 }, (_, k) =>
      frame(frameType.continuation, 0, 1, block([[`x${k}`, 'a'.repeat(1000)]])),
    ),
  ]),
};

async function attacker(port: number, bytes: Buffer, going: () => boolean): Promise<number> {
  let connections = 0;
  while (going()) {
    const client = await H2Client.open(port).catch(() => undefined);
    if (!client) continue;
    connections++;
    client.send(bytes);
    // Some end before the pilot has read them, some when it has begun to answer.
    await client.until(({ frames }) => frames.length >= connections % 4, 100);
    client.close();
  }
  return connections;
}

/** Clients one after the other, each of which is to be answered. */
async function witness(address: string, going: () => boolean): Promise<number> {
  let answered = 0;
  do {
    const client = new AbusiveClient(address);
    const stream = client.open().send({ node: nodeOf('witness'), typeUrl: clusters });
    const outcome = await Promise.race([stream.answered.then(() => 'answered'), stream.ended]);
    client.close();
    if (outcome !== 'answered') break;
    answered++;
  } while (going());
  return answered;
}

for (const [name, bytes] of Object.entries(scenes))
  test(name, { timeout: 60_000 }, async (t) => {
    const pilot = await PilotProcess.start((folder) => {
      mkdirSync(folder);
      writeFileSync(join(folder, 'a.yaml'), entry('a'));
    });
    try {
      const port = Number(pilot.address.split(':').at(-1));
      const before = pilot.facts.memory;
      const end = performance.now() + durationMs;
      const going = (): boolean => pilot.alive && performance.now() < end;
      const [answered, ...connections] = await Promise.all([
        witness(pilot.address, going),
        ...Array.from({ length: 3 }, () => attacker(port, bytes, going)),
      ]);
      assert.ok(pilot.alive, pilot.log.slice(-2000));
      assert.ok(answered > 0, 'no other client was served');
      assert.equal(await witness(pilot.address, () => false), 1);
      const after = pilot.facts.peakMemory;
      assert.ok(after - before < allowedMb, `${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`);
      t.diagnostic(
        `${connections.reduce((sum, one) => sum + one, 0)} connections; ${answered} other clients; ${before.toFixed(0)} MB, then ${after.toFixed(0)} MB`,
      );
    } finally {
      await pilot.stop();
    }
  });
