// Every route configuration that another control plane served must compile, and each of its routes be
// reachable by some request.
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { JsonValue } from '@bufbuild/protobuf';
import { context, requestOf, routeConfiguration, routesOf } from './fake-request.ts';

const recorded = fileURLToPath(new URL('../../../../../shared/conformance-xds', import.meta.url));
const absent = existsSync(recorded)
  ? false
  : `SKIPPED: no recorded xDS beside the checkout (shared/conformance-xds), nothing was checked`;

function readRoutes(file: string): readonly JsonValue[] {
  const { routes } = JSON.parse(readFileSync(`${recorded}/${file}`, 'utf8')) as {
    routes: readonly JsonValue[];
  };
  return routes;
}

test('recorded route configurations compile without problems', { skip: absent }, () => {
  const files = globSync('**/*.json', { cwd: recorded });
  let count = 0;
  for (const file of files) {
    for (const json of readRoutes(file)) {
      count++;
      assert.deepEqual(routesOf(routeConfiguration(json)).problems, [], file);
    }
  }
  assert.ok(count > 300, `only ${count} route configurations found`);
});

test('a plain request to each recorded domain is decided, and explained alike', { skip: absent }, () => {
  for (const file of globSync('{seed,match}/*.json', { cwd: recorded })) {
    for (const json of readRoutes(file)) {
      const config = routeConfiguration(json);
      const { table } = routesOf(config);
      for (const domain of config.virtualHosts.flatMap((host) => host.domains)) {
        const request = requestOf({ authority: domain.replace('*', 'x'), path: '/' });
        const explanation = table.explain(request, context());
        assert.ok(explanation.virtualHost, `${file}: ${domain}`);
        assert.deepEqual(table.choose(request, context()), explanation.decision);
      }
    }
  }
});
