import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Outcome, Request } from './case.ts';
import { compare } from './compare.ts';

const base = { name: 'r', connect: 'shop:80' } as const;

/** Whether `got` is the same outcome as the one that the request records. */
function isSame(
  request: Omit<Request, 'name' | 'connect' | 'expect'>,
  expect: Outcome,
  got: Outcome,
): boolean {
  return compare({ ...base, ...request, expect }, got).length === 0;
}

function check(name: string, cases: readonly (readonly [boolean, Parameters<typeof isSame>])[]): void {
  test(name, () => {
    for (const [expected, args] of cases) assert.equal(isSame(...args), expected, JSON.stringify(args));
  });
}

check('plain fields are equal, whatever the order of their keys', [
  [true, [{}, { status: 200, hits: 1, path: '/a' }, { status: 200, hits: 1, path: '/a' }]],
  [false, [{}, { status: 200 }, { status: 503 }]],
  [false, [{}, { status: 200, protocol: 'h2' }, { status: 200, protocol: 'http/1.1' }]],
  [true, [{}, { requestHeaders: { a: '1', b: null } }, { requestHeaders: { b: null, a: '1' } }]],
  [false, [{}, { requestHeaders: { a: ['1', '2'] } }, { requestHeaders: { a: ['2', '1'] } }]],
  [false, [{}, { responseBody: 'a' }, {}]],
  [false, [{}, {}, { upgraded: true }]],
]);

check('errors are equal by class', [
  [true, [{}, { error: 'ECONNRESET' }, { error: 'closed' }]],
  [true, [{}, { error: 'reset' }, { error: 'EPIPE' }]],
  [false, [{}, { error: 'timeout' }, { error: 'ECONNRESET' }]],
  [false, [{}, { error: 'ECONNREFUSED' }, { error: 'ECONNRESET' }]],
  [false, [{}, { error: 'ECONNRESET' }, { status: 503 }]],
  [false, [{}, { status: 200 }, { error: 'timeout' }]],
  [
    true,
    [
      {},
      { error: 'ERR_SSL_SSLV3_ALERT_HANDSHAKE_FAILURE' },
      { error: 'ERR_SSL_SSL/TLS_ALERT_HANDSHAKE_FAILURE' },
    ],
  ],
  [
    false,
    [{}, { error: 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA' }, { error: 'ERR_SSL_TLSV13_ALERT_CERTIFICATE_REQUIRED' }],
  ],
]);

check('upstreams: a set unless the request says otherwise', [
  [true, [{}, { upstreams: { a: 5, b: 1 } }, { upstreams: { a: 1, b: 9 } }]],
  [false, [{}, { upstreams: { a: 5, b: 1 } }, { upstreams: { a: 6 } }]],
  [false, [{}, { upstreams: { a: 5 } }, { upstreams: { a: 5, b: 1 } }]],
  [false, [{}, {}, { upstreams: { a: 1 } }]],
  [true, [{ compare: { upstreams: 'exact' } }, { upstreams: { a: 5, b: 1 } }, { upstreams: { b: 1, a: 5 } }]],
  [
    false,
    [{ compare: { upstreams: 'exact' } }, { upstreams: { a: 5, b: 1 } }, { upstreams: { a: 4, b: 2 } }],
  ],
  [true, [{ compare: { upstreams: 'one' } }, { upstreams: { a: 5 } }, { upstreams: { b: 5 } }]],
  [false, [{ compare: { upstreams: 'one' } }, { upstreams: { a: 5 } }, { upstreams: { a: 4, b: 1 } }]],
  [false, [{ compare: { upstreams: 'one' } }, { upstreams: { a: 5 } }, {}]],
  [true, [{ compare: { upstreams: 'subset' } }, { upstreams: { a: 5, b: 1 } }, { upstreams: { b: 6 } }]],
  [false, [{ compare: { upstreams: 'subset' } }, { upstreams: { a: 5, b: 1 } }, { upstreams: { c: 1 } }]],
]);

check('shares: within five standard deviations of the difference of two samples', [
  [
    true,
    [{ compare: { upstreams: 'share' } }, { upstreams: { a: 380, b: 20 } }, { upstreams: { a: 360, b: 40 } }],
  ],
  [
    false,
    [{ compare: { upstreams: 'share' } }, { upstreams: { a: 380, b: 20 } }, { upstreams: { a: 320, b: 80 } }],
  ],
  [
    false,
    [
      { compare: { upstreams: 'share' } },
      { upstreams: { a: 200, b: 200 } },
      { upstreams: { a: 300, b: 100 } },
    ],
  ],
  [false, [{ compare: { upstreams: 'share' } }, { upstreams: { a: 380, b: 20 } }, { upstreams: { a: 400 } }]],
  [true, [{ compare: { upstreams: 'share' } }, { upstreams: { a: 400 } }, { upstreams: { a: 400 } }]],
]);

check('hits: equal, any, or between two numbers', [
  [false, [{}, { hits: 1 }, { hits: 2 }]],
  [true, [{ compare: { hits: 'any' } }, { hits: 1 }, { hits: 7 }]],
  [true, [{ compare: { hits: [1, 3] } }, { hits: 1 }, { hits: 3 }]],
  [false, [{ compare: { hits: [1, 3] } }, { hits: 1 }, { hits: 4 }]],
  [false, [{ compare: { hits: [1, 3] } }, { hits: 1 }, {}]],
]);

check('statuses: shares unless the request says otherwise; one status is that status counted', [
  [true, [{ count: 100 }, { statuses: { 200: 50, 503: 50 } }, { statuses: { 200: 55, 503: 45 } }]],
  [false, [{ count: 100 }, { statuses: { 200: 50, 503: 50 } }, { status: 200 }]],
  [true, [{ count: 10, compare: { statuses: 'exact' } }, { statuses: { 200: 10 } }, { status: 200 }]],
  [
    true,
    [
      { count: 4, compare: { statuses: 'set' } },
      { statuses: { 200: 1, 503: 3 } },
      { statuses: { 200: 3, 503: 1 } },
    ],
  ],
  [
    false,
    [
      { count: 4, compare: { statuses: 'exact' } },
      { statuses: { 200: 1, 503: 3 } },
      { statuses: { 200: 3, 503: 1 } },
    ],
  ],
  [
    true,
    [
      { count: 4, compare: { statuses: 'exact' } },
      { statuses: { 200: 3, ECONNRESET: 1 } },
      { statuses: { 200: 3, closed: 1 } },
    ],
  ],
]);

check('ms: within 150 ms or a quarter, whichever is more', [
  [true, [{}, { ms: { min: 2, median: 2, max: 3 } }, { ms: { min: 100, median: 140, max: 150 } }]],
  [false, [{}, { ms: { min: 2, median: 2, max: 3 } }, { ms: { min: 2, median: 2, max: 160 } }]],
  [
    true,
    [{}, { ms: { min: 2000, median: 2000, max: 2000 } }, { ms: { min: 2400, median: 2400, max: 2490 } }],
  ],
  [
    false,
    [{}, { ms: { min: 2000, median: 2000, max: 2000 } }, { ms: { min: 1400, median: 2000, max: 2000 } }],
  ],
  [false, [{}, { ms: { min: 2, median: 2, max: 2 } }, {}]],
]);

check('TLS: the names that were asked for', [
  [true, [{}, { tls: { sni: 'a', alpn: 'h2' } }, { tls: { sni: 'a' } }]],
  [false, [{}, { tls: { sni: 'a' } }, { tls: { sni: 'b' } }]],
  [false, [{}, { tls: { sni: 'a' } }, {}]],
  [true, [{}, { tls: [{ sni: 'a' }, { sni: 'b' }] }, { tls: [{ sni: 'b' }, { sni: 'a' }] }]],
]);

check('mirrored copies: a set of addresses', [
  [true, [{}, { mirrored: { a: 2 } }, { mirrored: { a: 3 } }]],
  [false, [{}, { mirrored: { a: 2 } }, {}]],
  [false, [{}, {}, { mirrored: { a: 2 } }]],
]);

check('ours stands instead of what was recorded, for the fields that it has', [
  [
    true,
    [
      { ours: { status: 500, hits: 0 } },
      { status: 200, hits: 1, upstreams: { a: 1 } },
      { status: 500, hits: 0 },
    ],
  ],
  [false, [{ ours: { status: 500 } }, { status: 200 }, { status: 200 }]],
  [false, [{ ours: { status: 500, hits: 0 } }, { status: 200, hits: 1 }, { status: 500, hits: 1 }]],
  [false, [{ ours: { status: 500 } }, { status: 200 }, { error: 'timeout' }]],
]);
