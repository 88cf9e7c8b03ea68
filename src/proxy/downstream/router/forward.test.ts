// The router: one request, its tries, and what its client gets.
import { describe } from 'node:test';
import {
  answers,
  asks,
  clientEnds,
  clientGoes,
  clientReads,
  clientStalls,
  connects,
  counts,
  hostEnds,
  hostGoes,
  hostReads,
  hostSends,
  hostStalls,
  isIdle,
  passes,
  play,
  refuses,
  sends,
  tells,
} from '../http/fake-proxy.ts';

const retry = (on: string, more: object = {}): object => ({
  route: { retry_policy: { retry_on: on, num_retries: 1, ...more } },
});
const one = { load_assignment: endpoints('10.0.0.1') };
const trailers = {
  manager: { http_protocol_options: { enable_trailers: true } },
  cluster: { http_protocol_options: { enable_trailers: true } },
};
const post = asks('POST /', ['content-length: 4']);

describe('a request and its response', () => {
  play('go through as they are', { cluster: one }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200', ['content-length: 2'], 'ok'), 'client gets 200 [content-length: 2] ok'],
    [asks('POST /', ['content-length: 2'], 'hi'), 'host 0 gets POST / [content-length: 2] hi'],
    [answers(0, '201'), 'client gets 201 [content-length: 0]'],
    [isIdle],
    [counts({ upstream_rq_total: 2, upstream_rq_2xx: 2, upstream_cx_total: 1 })],
  ]);

  play('go through in pieces, and the head before them', {}, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [sends('ab'), 'host 0 gets ab'],
    [sends('cd'), 'host 0 gets cd'],
    [
      answers(0, '200', ['transfer-encoding: chunked'], '2\r\nok\r\n'),
      'client gets 200 [transfer-encoding: chunked] 2|ok|',
    ],
    [hostSends(0, '0\r\n\r\n'), 'client gets 0||'],
    [isIdle],
  ]);

  play('a body that comes before there is a connection waits for it', {}, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [sends('ab')],
    [sends('cd')],
    [connects(0), 'host 0 gets POST / [content-length: 4] abcd'],
  ]);

  play(
    'more of a body than is kept waits with its sender',
    { action: { route: { cluster: 'c' }, per_request_buffer_limit_bytes: 4 } },
    [
      [asks('POST /', ['content-length: 8'], 'abcd'), 'host 0 is dialled at 10.0.0.1'],
      [sends('e'), 'client is not read'],
      [
        connects(0),
        'client is read again',
        'host 0 gets POST / [content-length: 8, x-envoy-expected-rq-timeout-ms: 15000] abcde',
      ],
      [sends('fgh'), 'host 0 gets fgh'],
    ],
  );

  play('a host that reads slowly holds its client back', {}, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [hostStalls(0)],
    [sends('ab'), 'client is not read', 'host 0 gets ab'],
    [hostReads(0), 'client is read again'],
    [sends('cd'), 'host 0 gets cd'],
  ]);

  play('a client that reads slowly holds its host back', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [clientStalls],
    [
      answers(0, '200', ['content-length: 4'], 'ab'),
      'client gets 200 [content-length: 4] ab',
      'host 0 is not read',
    ],
    [clientReads, 'host 0 is read again'],
    [hostSends(0, 'cd'), 'client gets cd'],
  ]);

  play('an answer before the end of the request ends both connections', {}, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [
      answers(0, '403'),
      'client gets 403 [content-length: 0, connection: close]',
      'client is ended',
      'host 0 is closed',
    ],
    [passes(1000), 'client is closed'],
    [isIdle],
  ]);

  play('trailers go through where both sides take them', trailers, [
    [
      asks('POST /', ['transfer-encoding: chunked'], '1\r\na\r\n0\r\nx-t: 1\r\n\r\n'),
      'host 0 is dialled at 10.0.0.1',
    ],
    [connects(0), 'host 0 gets POST / [transfer-encoding: chunked] 1|a|0|x-t: 1||'],
    [
      answers(0, '200', ['transfer-encoding: chunked'], '1\r\nb\r\n0\r\nx-t: 2\r\n\r\n'),
      'client gets 200 [transfer-encoding: chunked] 1|b|0|x-t: 2||',
    ],
  ]);

  play('the first interim response is passed on, once', { manager: { proxy_100_continue: true } }, [
    [asks('POST /', ['expect: 100-continue', 'content-length: 2']), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [expect: 100-continue, content-length: 2]'],
    [hostSends(0, 'HTTP/1.1 100 Continue\r\n\r\n'), 'client gets 100 []'],
    [hostSends(0, 'HTTP/1.1 103 Early Hints\r\nlink: /b\r\n\r\n')],
    [sends('hi'), 'host 0 gets hi'],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
  ]);
});

describe('no host answers', () => {
  play('there is no such cluster', { route: { cluster: 'x' } }, [
    [asks('GET /'), 'client gets 503 [content-length: 0]'],
  ]);

  play(
    'the route says what that is to look like',
    { route: { cluster: 'x', cluster_not_found_response_code: 'NOT_FOUND' } },
    [[asks('GET /'), 'client gets 404 [content-length: 0]']],
  );

  play('the cluster has no hosts', { cluster: { load_assignment: { cluster_name: 'c' } } }, [
    [asks('GET /'), 'client gets 503 [content-length: 19] no healthy upstream'],
    [counts({ upstream_cx_none_healthy: 1 })],
  ]);

  play('the connection is refused', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [refuses(0), 'client gets 503 [content-length: 98] … reset reason: remote connection failure'],
    [isIdle],
    [counts({ upstream_cx_connect_fail: 1 })],
  ]);

  play('the connection takes too long', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [refuses(0, true), 'client gets 503 [content-length: 91] … reset reason: connection timeout'],
    [counts({ upstream_cx_connect_timeout: 1 })],
  ]);

  play('too many wait', { cluster: limits({ max_pending_requests: 0 }) }, [
    [
      asks('GET /'),
      'client gets 503 [x-envoy-overloaded: true, content-length: 81] … reset reason: overflow',
    ],
    [counts({ upstream_rq_pending_overflow: 1 })],
    [isIdle],
  ]);

  play('too many are under way', { cluster: limits({ max_requests: 0 }) }, [
    [
      asks('GET /'),
      'client gets 503 [x-envoy-overloaded: true, content-length: 81] … reset reason: overflow',
    ],
    [counts({ upstream_rq_active_overflow: 1, upstream_cx_total: 0 })],
    [isIdle],
  ]);
});

describe('the host breaks off', () => {
  play('before it answers', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      hostGoes(0),
      'client gets 503 [content-length: 95] … reset reason: connection termination',
      'host 0 is closed',
    ],
    [isIdle],
    [counts({ upstream_rq_rx_reset: 1, upstream_cx_active: 0 })],
  ]);

  play('before it answers, politely', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      hostEnds(0),
      'client gets 503 [content-length: 95] … reset reason: connection termination',
      'host 0 is closed',
    ],
  ]);

  play('within the head', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [hostSends(0, 'HTTP/1.1 200 OK\r\nx')],
    [hostEnds(0), 'client gets 502 [content-length: 87] … reset reason: protocol error', 'host 0 is closed'],
  ]);

  play('with something that is no HTTP', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      hostSends(0, 'what?\r\n\r\n'),
      'client gets 502 [content-length: 87] … reset reason: protocol error',
      'host 0 is closed',
    ],
    [isIdle],
  ]);

  play('within the body', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [hostGoes(0), 'client is closed', 'host 0 is closed'],
    [isIdle],
    [tells({ rq_tx_reset: 1, rq_active: 0 })],
  ]);

  play('within a chunk', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      answers(0, '200', ['transfer-encoding: chunked'], '5\r\nab'),
      'client gets 200 [transfer-encoding: chunked] 2|ab|',
    ],
    [hostEnds(0), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);

  play('which is the end of a body without a length', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200', [], 'ab'), 'client gets 200 [transfer-encoding: chunked] 2|ab|'],
    [hostEnds(0), 'client gets 0||', 'host 0 is closed'],
    [isIdle],
  ]);
});

describe('the client goes', () => {
  play('while its request waits for a connection', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [clientGoes, 'client is closed'],
    [isIdle],
    [connects(0)],
    [tells({ rq_rx_reset: 1, rq_active: 0, cx_active: 0 })],
  ]);

  play('in the middle of its body', {}, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [sends('ab'), 'host 0 gets ab'],
    [clientGoes, 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);

  play('while its host thinks', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [clientGoes, 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);

  play('in the middle of its response', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [clientGoes, 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);

  play('between two tries', { ...retry('5xx'), draws: 0.5 }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.2'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '503')],
    [clientGoes, 'client is closed'],
    [isIdle],
    [passes(1000)],
  ]);

  play('by half-closing', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [clientEnds, 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);
});

describe('retries', () => {
  play('of a response, on the next host, after a pause', { ...retry('5xx'), draws: 0.5 }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.2'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '503')],
    [passes(11)],
    [passes(1), 'host 1 is dialled at 10.0.0.1'],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
    [isIdle],
    [counts({ upstream_rq_retry: 1, upstream_rq_total: 2, upstream_rq_5xx: 1, upstream_rq_2xx: 1 })],
  ]);

  play('end, and the last response is what the client gets', retry('5xx'), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '503')],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '503', ['content-length: 4'], 'last'), 'client gets 503 [content-length: 4] last'],
    [counts({ upstream_rq_retry: 1, upstream_rq_retry_limit_exceeded: 1 })],
    [isIdle],
  ]);

  play('of a response that the policy does not name', retry('gateway-error'), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '500'), 'client gets 500 [content-length: 0]'],
    [counts({ upstream_rq_retry: 0, upstream_rq_retry_limit_exceeded: 0 })],
  ]);

  play('of a connection that was refused', retry('connect-failure'), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [refuses(0)],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
    [isIdle],
  ]);

  play('of a host that broke off', retry('reset'), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [hostGoes(0), 'host 0 is closed'],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
    [isIdle],
  ]);

  play('not of a host that broke off where only connecting is retried', retry('connect-failure'), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      hostGoes(0),
      'client gets 503 [content-length: 95] … reset reason: connection termination',
      'host 0 is closed',
    ],
  ]);

  play('say that there were some when they failed', retry('reset'), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [refuses(0)],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [
      refuses(1),
      'client gets 503 [content-length: 121] … retried and the latest reset reason: remote connection failure',
    ],
    [isIdle],
  ]);

  play('wait longer each time', { ...retry('5xx', { num_retries: 3 }), draws: 0.9 }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.2'],
    [refuses(0)],
    [passes(21)],
    [passes(1), 'host 1 is dialled at 10.0.0.1'],
    [refuses(1)],
    [passes(44)],
    [passes(1), 'host 2 is dialled at 10.0.0.2'],
    [refuses(2)],
    [passes(89)],
    [passes(1), 'host 3 is dialled at 10.0.0.1'],
  ]);

  play(
    'wait as long as the host asks',
    retry('5xx', {
      rate_limited_retry_back_off: { reset_headers: [{ name: 'retry-after' }], max_interval: '5s' },
    }),
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / []'],
      [answers(0, '503', ['retry-after: 2', 'content-length: 0'])],
      [passes(1999)],
      [passes(1), 'host 1 is dialled at 10.0.0.2'],
    ],
  );

  play('send the body again', retry('5xx'), [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [sends('ab'), 'host 0 gets ab'],
    [sends('cd'), 'host 0 gets cd'],
    [answers(0, '503')],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets POST / [content-length: 4] abcd'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
  ]);

  play(
    'do not send a body again that was too long to be kept',
    {
      action: {
        route: { cluster: 'c', retry_policy: { retry_on: '5xx' } },
        per_request_buffer_limit_bytes: 2,
      },
    },
    [
      [post, 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets POST / [content-length: 4, x-envoy-expected-rq-timeout-ms: 15000]'],
      [sends('abc'), 'host 0 gets abc'],
      [sends('d'), 'host 0 gets d'],
      [answers(0, '503'), 'client gets 503 [content-length: 0]'],
      [counts({ upstream_rq_retry: 0 })],
    ],
  );

  play('an early answer that is retried has the rest of the body too', retry('5xx'), [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [sends('ab'), 'host 0 gets ab'],
    [answers(0, '503'), 'host 0 is closed'],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets POST / [content-length: 4] ab'],
    [sends('cd'), 'host 1 gets cd'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
    [isIdle],
  ]);

  play('send trailers again', { ...retry('5xx'), ...trailers }, [
    [
      asks('POST /', ['transfer-encoding: chunked'], '1\r\na\r\n0\r\nx-t: 1\r\n\r\n'),
      'host 0 is dialled at 10.0.0.1',
    ],
    [connects(0), 'host 0 gets POST / [transfer-encoding: chunked] 1|a|0|x-t: 1||'],
    [answers(0, '503')],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets POST / [transfer-encoding: chunked] 1|a|0|x-t: 1||'],
  ]);

  play(
    'not once the client has seen an interim response',
    { ...retry('5xx'), manager: { proxy_100_continue: true } },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / []'],
      [hostSends(0, 'HTTP/1.1 103 Early Hints\r\n\r\n'), 'client gets 103 []'],
      [answers(0, '503'), 'client gets 503 [content-length: 0]'],
    ],
  );

  play('not once the response has begun', retry('reset'), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [hostGoes(0), 'client is closed', 'host 0 is closed'],
  ]);

  play(
    'no more at a time than the cluster allows',
    { ...retry('5xx'), cluster: limits({ max_retries: 0 }) },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / []'],
      [answers(0, '503'), 'client gets 503 [content-length: 0]'],
      [counts({ upstream_rq_retry: 0, upstream_rq_retry_overflow: 1 })],
      [isIdle],
    ],
  );

  play(
    'as many as the budget has',
    {
      ...retry('5xx'),
      cluster: limits({ retry_budget: { budget_percent: { value: 0 }, min_retry_concurrency: 1 } }),
    },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / []'],
      [answers(0, '503')],
      [passes(1), 'host 1 is dialled at 10.0.0.2'],
    ],
  );

  play(
    'none where the budget is used up',
    {
      ...retry('5xx'),
      cluster: limits({ retry_budget: { budget_percent: { value: 0 }, min_retry_concurrency: 0 } }),
    },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / []'],
      [answers(0, '503'), 'client gets 503 [content-length: 0]'],
      [counts({ upstream_rq_retry_overflow: 1 })],
    ],
  );

  play(
    'number their tries where the route says so',
    {
      route: { retry_policy: { retry_on: '5xx' } },
      ...counted({ include_request_attempt_count: true, include_attempt_count_in_response: true }),
    },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / [x-envoy-attempt-count: 1]'],
      [answers(0, '503')],
      [passes(1), 'host 1 is dialled at 10.0.0.2'],
      [connects(1), 'host 1 gets GET / [x-envoy-attempt-count: 2]'],
      [answers(1, '200'), 'client gets 200 [content-length: 0, x-envoy-attempt-count: 2]'],
    ],
  );
});

describe('a connection that was kept too long', () => {
  play('a request that is safe to repeat goes out once more, whatever the policy says', { cluster: one }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
    [passes(5000)],
    [asks('GET /'), 'host 0 gets GET / []'],
    [hostGoes(0), 'host 1 is dialled at 10.0.0.1', 'host 0 is closed'],
    [connects(1), 'host 1 gets GET / []'],
    [
      hostGoes(1),
      'client gets 503 [content-length: 95] … reset reason: connection termination',
      'host 1 is closed',
    ],
  ]);

  play('a POST does not', { cluster: one }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
    [passes(5000)],
    [asks('POST /', ['content-length: 0']), 'host 0 gets POST / [content-length: 0]'],
    [
      hostGoes(0),
      'client gets 503 [content-length: 95] … reset reason: connection termination',
      'host 0 is closed',
    ],
  ]);

  play('nor does anything on a connection in steady use', { cluster: one }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
    [passes(500)],
    [asks('GET /'), 'host 0 gets GET / []'],
    [
      hostGoes(0),
      'client gets 503 [content-length: 95] … reset reason: connection termination',
      'host 0 is closed',
    ],
  ]);
});

describe('limits of time', () => {
  play('of the whole, from the end of the request', { route: { timeout: '1s' } }, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [passes(5000)],
    [sends('abcd')],
    [passes(999)],
    [passes(1), 'client gets 504 [content-length: 24] upstream request timeout'],
    [counts({ upstream_rq_timeout: 1 })],
    [isIdle],
  ]);

  play('of the whole, when the response has begun', { route: { timeout: '1s' } }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / [x-envoy-expected-rq-timeout-ms: 1000]'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [passes(1000), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);

  play(
    'of the whole hold over all tries',
    { route: { timeout: '1s', retry_policy: { retry_on: '5xx', num_retries: 9 } } },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / [x-envoy-expected-rq-timeout-ms: 1000]'],
      [passes(600)],
      [answers(0, '503')],
      [passes(1), 'host 1 is dialled at 10.0.0.2'],
      [connects(1), 'host 1 gets GET / [x-envoy-expected-rq-timeout-ms: 1000]'],
      [passes(399), 'client gets 504 [content-length: 24] upstream request timeout', 'host 1 is closed'],
      [isIdle],
    ],
  );

  play(
    'of one try, which is retried',
    { route: { timeout: '5s', retry_policy: { retry_on: '5xx', num_retries: 1, per_try_timeout: '1s' } } },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / [x-envoy-expected-rq-timeout-ms: 1000]'],
      [passes(1000), 'host 0 is closed'],
      [passes(1), 'host 1 is dialled at 10.0.0.2'],
      [connects(1), 'host 1 gets GET / [x-envoy-expected-rq-timeout-ms: 1000]'],
      [passes(999)],
      [counts({ upstream_rq_per_try_timeout: 1, upstream_rq_retry: 1 })],
      [passes(1), 'client gets 504 [content-length: 24] upstream request timeout', 'host 1 is closed'],
      [counts({ upstream_rq_per_try_timeout: 2, upstream_rq_timeout: 0 })],
      [isIdle],
    ],
  );

  play(
    'of one try begin with the end of the request',
    { route: { timeout: '0s', retry_policy: { retry_on: '5xx', per_try_timeout: '1s' } } },
    [
      [post, 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets POST / [content-length: 4, x-envoy-expected-rq-timeout-ms: 1000]'],
      [passes(5000)],
      [sends('abcd'), 'host 0 gets abcd'],
      [passes(999)],
      [passes(1), 'host 0 is closed'],
    ],
  );

  play(
    'of one try count the wait for a connection',
    { route: { timeout: '0s', retry_policy: { retry_on: 'connect-failure', per_try_timeout: '1s' } } },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [passes(1000), 'client gets 504 [content-length: 24] upstream request timeout'],
      [isIdle],
    ],
  );

  play(
    'of one try in which nothing passes',
    {
      route: { timeout: '0s', retry_policy: { retry_on: '5xx', num_retries: 0, per_try_idle_timeout: '1s' } },
    },
    [
      [post, 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets POST / [content-length: 4]'],
      [passes(900)],
      [sends('ab'), 'host 0 gets ab'],
      [passes(900)],
      [sends('cd'), 'host 0 gets cd'],
      [passes(900)],
      [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
      [passes(999)],
      [passes(1), 'client is closed', 'host 0 is closed'],
      [isIdle],
    ],
  );

  play('of a stream, as the cluster has it', { cluster: lastsFor('1s') }, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [passes(999)],
    [
      passes(1),
      'client gets 408 [content-length: 36, connection: close] upstream max stream duration reached',
      'client is ended',
      'host 0 is closed',
    ],
    [isIdle],
  ]);

  play('of a stream, when the request is complete', { cluster: lastsFor('1s') }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      passes(1000),
      'client gets 504 [content-length: 36] upstream max stream duration reached',
      'host 0 is closed',
    ],
  ]);

  play('of a stream, when the response has begun', { cluster: lastsFor('1s') }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [passes(1000), 'client is closed', 'host 0 is closed'],
  ]);

  play('of a stream, which is retried', { ...retry('reset'), cluster: lastsFor('1s') }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [passes(1000), 'host 0 is closed'],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
    [isIdle],
  ]);

  play(
    'too long for a timer are none',
    { route: { timeout: '3000000s', retry_policy: { retry_on: '5xx', per_try_timeout: '2900000s' } } },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / [x-envoy-expected-rq-timeout-ms: 2900000000]'],
      [passes(1000)],
    ],
  );
});

function limits(thresholds: object): object {
  return { circuit_breakers: { thresholds: [thresholds] } };
}

/** Of the virtual host. */
function counted(fields: object): object {
  const routes = [
    { match: { prefix: '/' }, route: { cluster: 'c', timeout: '0s', retry_policy: { retry_on: '5xx' } } },
  ];
  const virtual_hosts = [{ name: 'v', domains: ['*'], routes, ...fields }];
  return { manager: { route_config: { name: 'r', virtual_hosts } } };
}

function lastsFor(duration: string): object {
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const options = {
    '@type': `type.googleapis.com/${type}`,
    explicit_http_config: { http_protocol_options: {} },
    common_http_protocol_options: { max_stream_duration: duration },
  };
  return { typed_extension_protocol_options: { [type]: options } };
}

function endpoints(ip: string): object {
  const endpoint = { address: { socket_address: { address: ip, port_value: 80 } } };
  return { cluster_name: 'c', endpoints: [{ lb_endpoints: [{ endpoint }] }] };
}
