// The router: one request, its try, and what its client gets.
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
import { one, post, retry, trailers } from './testdata-router.ts';

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

function limits(thresholds: object): object {
  return { circuit_breakers: { thresholds: [thresholds] } };
}
