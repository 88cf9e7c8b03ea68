import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome, Request } from './case.ts';
import { type Answer, type Hit, outcomeOf } from './outcome.ts';

const hit: Hit = {
  address: '10.1.0.1:80',
  protocol: 'http/1.1',
  method: 'GET',
  path: '/',
  host: 'shop',
  headers: { a: '1' },
  body: '',
};
const ok: Answer = { status: 200, ms: 3, headers: { server: 'x' }, body: 'hello' };

function check(
  request: Partial<Request>,
  answers: readonly Answer[],
  hits: readonly Hit[],
  expected: Outcome,
): void {
  assert.deepEqual(
    outcomeOf({ name: 'r', connect: 'shop:80', expect: {}, ...request }, answers, hits),
    expected,
  );
}

const seen = { protocol: 'http/1.1', method: 'GET', path: '/', host: 'shop' };

test('one result for all is that result; different ones are counted', () => {
  check({}, [ok], [hit], { status: 200, hits: 1, upstreams: { '10.1.0.1:80': 1 }, ...seen });
  check({}, [ok, { status: 503, ms: 1 }, { error: 'timeout', ms: 1 }], [], {
    statuses: { 200: 1, 503: 1, timeout: 1 },
    hits: 0,
  });
  check({}, [{ error: 'closed', ms: 1 }], [], { error: 'closed', hits: 0 });
  check({}, [{ tcp: 'tcp 10.1.0.1:80 hi', ms: 1 }], [], { tcp: 'tcp 10.1.0.1:80 hi', hits: 0 });
});

test('what hits agree on is one value, what they do not is a list', () => {
  const other = { ...hit, address: '10.1.0.2:80', path: '/b' };
  check({}, [ok], [hit, other, hit], {
    status: 200,
    hits: 3,
    upstreams: { '10.1.0.1:80': 2, '10.1.0.2:80': 1 },
    ...seen,
    path: ['/', '/b'],
  });
});

test('only what is observed is told', () => {
  const observe = {
    requestHeaders: ['a', 'b'],
    responseHeaders: ['server', 'via'],
    responseBody: true,
    time: true,
  };
  check({ observe, body: '' }, [ok, { ...ok, ms: 9 }, { ...ok, ms: 1 }], [hit], {
    status: 200,
    hits: 1,
    upstreams: { '10.1.0.1:80': 1 },
    ...seen,
    body: '',
    requestHeaders: { a: '1', b: null },
    responseHeaders: { server: 'x', via: null },
    responseBody: 'hello',
    ms: { min: 1, median: 3, max: 9 },
  });
});

test('copies for a shadow host are counted apart', () => {
  check({}, [ok], [hit, { ...hit, host: 'shop-shadow', address: '10.1.0.9:80' }], {
    status: 200,
    hits: 1,
    upstreams: { '10.1.0.1:80': 1 },
    ...seen,
    mirrored: { '10.1.0.9:80': 1 },
    mirroredHost: ['shop-shadow'],
    mirroredPath: ['/'],
  });
});
