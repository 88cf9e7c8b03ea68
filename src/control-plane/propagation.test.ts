// Who has a version of a resource, from what sessions say of it.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ResourceStatus } from '../xds/index.ts';
import { Propagation, type ProxySession } from './propagation.ts';

const route = { type: 'route', name: '80' } as const;

function proxy(id: string, status: ResourceStatus | undefined, settled = true): ProxySession {
  return {
    proxy: id,
    session: {
      status: (type, name) => (type === route.type && name === route.name ? status : undefined),
      settled,
    },
  };
}

const sessions: readonly ProxySession[] = [
  proxy('has', { kind: 'acknowledged', version: 'v2' }),
  proxy('was sent', { kind: 'sent', version: 'v2' }, false),
  proxy('waits', { kind: 'pending', version: 'v2' }, false),
  proxy('refused', { kind: 'refused', version: 'v2', reason: 'no such cluster' }),
  proxy('other view', { kind: 'acknowledged', version: 'w1' }),
  proxy('keeps', { kind: 'leaving', version: 'v1' }),
  proxy('is not concerned', undefined),
];
const propagation = new Propagation(() => sessions);

test('proxies by what they did with a version', () => {
  assert.deepEqual(propagation.spreadOf(route, 'v2'), {
    acknowledged: ['has'],
    waiting: ['was sent', 'waits'],
    refused: [{ proxy: 'refused', reason: 'no such cluster' }],
  });
});

test('another view has another version', () => {
  assert.deepEqual([...propagation.versionsOf(route)], ['v2', 'w1']);
  assert.deepEqual(propagation.spreadOf(route, 'w1').acknowledged, ['other view']);
});

test('a version that nobody is to have any longer', () => {
  assert.deepEqual(propagation.spreadOf(route, 'v1'), { acknowledged: [], waiting: [], refused: [] });
  assert.deepEqual(propagation.leaving(route), ['keeps']);
});

test('a proxy that is not concerned has no status', () => {
  assert.equal(propagation.statusOf(route).length, sessions.length - 1);
  assert.deepEqual(propagation.statusOf({ type: 'route', name: '81' }), []);
});

test('proxies that owe an answer', () => {
  assert.deepEqual(propagation.unsettled, ['was sent', 'waits']);
});
