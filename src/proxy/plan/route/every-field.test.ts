// Every field of a route configuration is in its plan, or a problem, or in the list below with the reason.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createRegistry, fromJson } from '@bufbuild/protobuf';
import { EmptySchema } from '@bufbuild/protobuf/wkt';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { RouteMatchSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { fieldsWithoutEffect } from '../../../../test/field-effects.ts';
import { filterCatalog } from '../../filters/all.ts';
import { planRoutes } from './route-table.ts';

const statistics = 'statistics that are not kept';
const rateLimits = 'read by a rate limit filter, of which there is none';
const forOthers = 'read by extensions that there are none of';

const withoutEffect: Readonly<Record<string, string>> = {
  'RegexMatcher.google_re2': 'patterns run on RE2 always',
  'RuntimeFractionalPercent.runtime_key': 'runtime keys have no source: the default value decides',
  'Metadata.typed_filter_metadata': forOthers,
  'WeightedCluster.total_weight': 'the sum of the weights; Envoy checks that it is',
  'WeightedCluster.runtime_key_prefix': 'runtime keys have no source: the configured weights count',
  'RouteAction.early_data_policy': 'no TLS early data is taken',
  'RouteAction.RequestMirrorPolicy.trace_sampled': 'mirrored requests have no spans of their own',
  'RouteAction.rate_limits': rateLimits,
  'RouteAction.include_vh_rate_limits': rateLimits,
  'CorsPolicy.shadow_enabled': statistics,
  'RouteAction.max_internal_redirects': 'only with internal redirects, which are refused',
  'Decorator.propagate': 'operations are always named to the upstream',
  'Route.tracing': 'the connection manager alone says what is sampled',
  'VirtualHost.virtual_clusters': statistics,
  'VirtualHost.rate_limits': rateLimits,
  'VirtualHost.include_is_timeout_retry_header': 'upstreams are not told that a retry follows a timeout',
  'VirtualHost.metadata': forOthers,
  'RouteConfiguration.validate_clusters': 'clusters may come later: a missing one is answered for',
  'RouteConfiguration.cluster_specifier_plugins': 'routes that name one are refused',
  'RouteConfiguration.metadata': forOthers,
};

const registry = createRegistry(EmptySchema);

test('every field of a route configuration is accounted for', () => {
  const found = fieldsWithoutEffect({
    schema: RouteConfigurationSchema,
    base: {
      name: 'r',
      requestHeadersToRemove: ['a'],
      virtualHosts: [
        {
          name: 'v',
          domains: ['*'],
          requestHeadersToRemove: ['b'],
          routes: [
            { match: { prefix: '/' }, route: { cluster: 'c' } },
            { match: { prefix: '/' }, directResponse: { status: 200, body: { inlineString: 'four' } } },
          ],
        },
      ],
    },
    plan: (json) => planRoutes(fromJson(RouteConfigurationSchema, json, { registry }), filterCatalog),
    seeds: {
      Decorator: { operation: 'o' },
      HedgePolicy: { hedgeOnPerTryTimeout: true },
      Metadata: { filterMetadata: { 'envoy.lb': { a: 'b' } } },
      RegexMatchAndSubstitute: { pattern: { regex: 'a' }, substitution: 'b' },
      'RetryPolicy.RetryBackOff': { baseInterval: '1s' },
      'RouteAction.MaxStreamDuration': { maxStreamDuration: '1s', grpcTimeoutHeaderMax: '1s' },
      HeaderMatcher: { name: 'x' },
      RuntimeFractionalPercent: { defaultValue: { numerator: 1 } },
      WeightedCluster: { clusters: [{ name: 'c', weight: 1 }] },
      'WeightedCluster.ClusterWeight': { name: 'c', weight: 1 },
    },
    values: { 'RetryPolicy.retry_on': ['5xx'] },
  });
  assert.deepEqual(found, Object.keys(withoutEffect).sort());
});

test('a plan that passes over everything is found out', () => {
  const found = fieldsWithoutEffect({
    schema: RouteMatchSchema,
    base: {},
    plan: (json) => ({ plan: 'prefix' in json, problems: [] }),
  });
  assert.ok(found.includes('RouteMatch.headers'), found.join());
  assert.ok(!found.includes('RouteMatch.prefix'), found.join());
});
