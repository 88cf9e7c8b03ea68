// The router: when a request goes out again, when, where to, and with what body.
import { describe } from 'node:test';
import {
  answers,
  asks,
  connects,
  counts,
  hostGoes,
  hostSends,
  isIdle,
  passes,
  play,
  refuses,
  sends,
} from '../http/fake-proxy.ts';
import { one, post, retry, trailers } from './testdata-router.ts';

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

  play('once and no more', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
    [asks('GET /'), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
    [passes(5000)],
    [asks('GET /'), 'host 0 gets GET / []'],
    [hostGoes(0), 'host 0 is closed', 'host 1 gets GET / []'],
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
