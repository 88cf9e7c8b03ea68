// A short soak; the long one is a command (soak.ts).
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { visits } from './clients.ts';
import { soak } from './soak.ts';

const seconds = Number(process.env['SOAK_SECONDS'] ?? 20);
const seed = Number(process.env['SOAK_SEED'] ?? 1);
/** By how much heaps after a collection may differ, for code that was compiled meanwhile. In MB. */
const slack = 6;
/** The administration interface may be answering, and the control plane reconnecting. */
const fewDescriptors = 3;

test(`${seconds} s of clients that come and go, hosts that die and edits leave the proxy as it was`, async () => {
  const { before, after, edits, deaths, ...result } = await soak({ seconds, seed, clients: 8 });
  assert.deepEqual(after.proxy.open, {});
  assert.ok(
    after.proxy.descriptors <= before.proxy.descriptors + fewDescriptors,
    `${before.proxy.descriptors} descriptors became ${after.proxy.descriptors}`,
  );
  assert.ok(after.pilot.descriptors <= before.pilot.descriptors, 'descriptors of the pilot');
  for (const who of ['proxy', 'pilot'] as const)
    assert.ok(
      after[who].heap < before[who].heap + slack,
      `${who}: ${before[who].heap} MB of heap became ${after[who].heap}`,
    );
  assert.ok(edits > seconds && deaths > seconds / 4, `${edits} edits, ${deaths} deaths`);
  for (const { name } of visits) assert.ok((result.visits[name] ?? 0) > 0, `no visit of ${name}`);
});
