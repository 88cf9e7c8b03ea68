// Plans are values: two plans of one message are equal, and hold nothing that a structured clone would refuse (a
// function, a socket, a timer). Over every resource that another control plane served.

import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { filterCatalog } from '../filters/all.ts';
import { knownTypes } from '../known-types.ts';
import { planCluster } from './cluster/cluster-plan.ts';
import { planListener } from './listener/listener-plan.ts';
import { isUdp, planUdpListener } from './listener/udp-listener-plan.ts';
import type { Planned } from './planned.ts';
import { planRoutes } from './route/route-table.ts';

const recorded = fileURLToPath(new URL('../../../../shared/conformance-xds', import.meta.url));
const absent = existsSync(recorded)
  ? false
  : 'SKIPPED: no recorded xDS beside the checkout (shared/conformance-xds), nothing was checked';

interface Recording {
  readonly clusters: readonly JsonValue[];
  readonly listeners: readonly JsonValue[];
  readonly routes: readonly JsonValue[];
}

const options = { registry: knownTypes, ignoreUnknownFields: true };

/** The problems, of a plan that is plain. */
function checked(plan: () => Planned<unknown>, place: string): readonly string[] {
  const first = plan();
  assert.deepEqual(plan(), first, place);
  assert.deepEqual(structuredClone(first.plan), first.plan, place);
  return first.problems;
}

const kinds: readonly [keyof Recording, (json: JsonValue) => Planned<unknown>][] = [
  ['clusters', (json) => planCluster(fromJson(ClusterSchema, json, options))],
  ['routes', (json) => planRoutes(fromJson(RouteConfigurationSchema, json, options), filterCatalog)],
  [
    'listeners',
    (json) => {
      const source = fromJson(ListenerSchema, json, options);
      return isUdp(source) ? planUdpListener(source) : planListener(source, filterCatalog);
    },
  ],
];

for (const [kind, plan] of kinds)
  test(`plans of recorded ${kind} are plain, and without problems`, { skip: absent }, () => {
    const seen = new Set<string>();
    for (const file of globSync('**/*.json', { cwd: recorded })) {
      const recording: Recording = JSON.parse(readFileSync(`${recorded}/${file}`, 'utf8'));
      for (const json of recording[kind]) {
        const text = JSON.stringify(json);
        if (seen.has(text)) continue;
        seen.add(text);
        assert.deepEqual(
          checked(() => plan(json), file),
          [],
          `${file}: ${text.slice(0, 200)}`,
        );
      }
    }
    assert.ok(seen.size > 100, `only ${seen.size} found`);
  });

test('a plan with a function in it is found out', () => {
  assert.throws(() => checked(() => ({ plan: { test: () => true }, problems: [] }), 'here'));
});
