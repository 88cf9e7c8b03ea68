// Edits under load lose no request, over both protocols, with a real Envoy. MELTEMI_EDITS sets how many edits
// (500 for a long run), MELTEMI_SEED which.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { seeded } from './edited-mesh.ts';
import { apiTypes } from './envoy.ts';
import { Load } from './load.ts';
import { Scene } from './scene.ts';

const edits = Number(process.env['MELTEMI_EDITS'] ?? 60);
const seed = Number(process.env['MELTEMI_SEED'] ?? 1);
const skip = reasonToSkipWithoutEnvoy();
const workers = 8;
/** Of the edits, the rest follow while the one before is still on its way. */
const shareAwaited = 0.7;

for (const apiType of apiTypes)
  test(`${edits} edits under load lose no request (${apiType})`, {
    skip,
    timeout: 60_000 + edits * 500,
  }, async (t) => {
    const scene = await Scene.set(t, apiType, seeded(seed));
    const load = new Load(scene.gatewayPort, scene.mesh.hosts, workers);
    t.after(() => load.stop());
    const random = seeded(seed + 1);
    const done: string[] = [];
    while (done.length < edits && load.failures.length === 0) {
      const { what, update } = scene.mesh.edit();
      const issues = [...update.issues, ...scene.pilot.apply(update)].filter(
        (issue) => issue.severity === 'error',
      );
      assert.deepEqual(issues, [], what);
      done.push(what);
      if (random() < shareAwaited) await scene.settled();
    }
    await scene.settled();
    await load.stop();
    assert.deepEqual(
      [load.failures, scene.refusals],
      [[], []],
      `after ${done.length} edits, the last: ${done.slice(-5).join(', ')}`,
    );
    assert.ok(load.answered > edits, `only ${load.answered} requests`);
    await scene.answering(scene.mesh.allHosts);
    t.diagnostic(`${edits} edits, ${load.answered} requests, 0 failed`);
  });
