// Filters in a running proxy: their order, and those that routes switch on and off.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { freePort, httpFilter, listener, router, startFake, talk } from '../fake-bootstrap.ts';
import type { RunningProxy } from '../index.ts';

const started: RunningProxy[] = [];
after(() => Promise.all(started.map((proxy) => proxy.stop())));

const type = (name: string): string => `type.googleapis.com/envoy.extensions.filters.http.${name}`;
const fault = { abort: { http_status: 418, percentage: { numerator: 100 } } };
const aborts = { name: 'f', typed_config: { '@type': type('fault.v3.HTTPFault'), ...fault } };
const denies = { name: 'a', typed_config: { '@type': type('rbac.v3.RBAC'), rules: {} } };
const wrapper = 'type.googleapis.com/envoy.config.route.v3.FilterConfig';

async function statusOf(filters: readonly object[], perRoute: object = {}): Promise<number> {
  const port = await freePort();
  const route = {
    match: { prefix: '/' },
    direct_response: { status: 204 },
    typed_per_filter_config: perRoute,
  };
  const manager = httpFilter([route], { http_filters: [...filters, router] });
  const proxy = await startFake({ listeners: [listener(port, [manager])] });
  started.push(proxy);
  await proxy.ready;
  const { received } = await talk(port, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  return Number(received.slice(9, 12));
}

test('the first filter that answers is the first of the list', async () => {
  assert.equal(await statusOf([aborts, denies]), 418);
  assert.equal(await statusOf([denies, aborts]), 403);
  assert.equal(await statusOf([]), 204);
});

test('disabled filters do nothing, unless a route asks for them', async () => {
  const disabled = { ...aborts, disabled: true };
  assert.equal(await statusOf([disabled]), 204);
  assert.equal(await statusOf([disabled], { f: { '@type': wrapper, config: {} } }), 418);
  assert.equal(await statusOf([aborts], { f: { '@type': wrapper, disabled: true } }), 204);
});

test('a route has a plan of its own', async () => {
  const own = { '@type': type('fault.v3.HTTPFault'), abort: { ...fault.abort, http_status: 429 } };
  assert.equal(await statusOf([aborts], { f: own }), 429);
  assert.equal(await statusOf([denies], { a: { '@type': type('rbac.v3.RBACPerRoute') } }), 204);
});
