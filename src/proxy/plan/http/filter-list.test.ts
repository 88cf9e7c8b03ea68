import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonObject } from '@bufbuild/protobuf';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { filterCatalog } from '../../filters/all.ts';
import { knownTypes } from '../../known-types.ts';
import { type FilterPlan, planFilters } from './filter-list.ts';

const filter = (name: string, message: string, more: JsonObject = {}): JsonObject => ({
  name,
  typed_config: { '@type': `type.googleapis.com/envoy.extensions.filters.http.${message}` },
  ...more,
});
const router = filter('r', 'router.v3.Router');
const unknown = { name: 'x', config_discovery: { type_urls: ['a/b'], config_source: { ads: {} } } };

function plan(...list: readonly JsonObject[]): {
  readonly plans: readonly FilterPlan[];
  readonly problems: readonly string[];
} {
  const json = { stat_prefix: 'x', http_filters: [...list] };
  const problems: string[] = [];
  const source = fromJson(HttpConnectionManagerSchema, json, { registry: knownTypes });
  return {
    plans: planFilters(source.httpFilters, { catalog: filterCatalog, decorator: undefined }, problems),
    problems,
  };
}

test('filters keep their order, and plans are plain values', () => {
  const list = [
    filter('f', 'fault.v3.HTTPFault'),
    filter('c', 'cors.v3.Cors'),
    filter('a', 'rbac.v3.RBAC'),
    router,
  ];
  const { plans, problems } = plan(...list);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    plans.map(({ name, plan: { kind } }) => `${name} ${kind}`),
    ['f fault', 'c cors', 'a rbac', 'r router'],
  );
  assert.deepEqual(plans, plan(...list).plans);
  assert.deepEqual(structuredClone(plans), plans);
});

test('what is not known is a problem, unless it is optional or has no effect', () => {
  assert.deepEqual(plan(unknown, router).problems, ['HTTP filter x is not supported']);
  assert.deepEqual(plan({ ...unknown, is_optional: true }, router).problems, []);
  assert.deepEqual(plan(filter('g', 'grpc_stats.v3.FilterConfig'), router).problems, []);
});

test('the router comes last, and is not disabled', () => {
  const expected = ['the HTTP filters do not end in a router'];
  assert.deepEqual(plan(router, filter('c', 'cors.v3.Cors')).problems, expected);
  assert.deepEqual(plan(filter('r', 'router.v3.Router', { disabled: true })).problems, expected);
  assert.deepEqual(plan().problems, expected);
});
