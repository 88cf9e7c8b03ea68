// What becomes of hosts that fail: requests keep off them for a while, and off none when all do.
import { describe } from 'node:test';
import {
  answers,
  asks,
  connects,
  counts,
  type FakeProxy,
  hostGoes,
  passes,
  play,
  refuses,
  type Setting,
} from '../http/fake-proxy.ts';

const detecting = (more: object = {}, cluster: object = {}): Setting => ({
  cluster: {
    outlier_detection: {
      consecutive_5xx: 1,
      max_ejection_percent: 50,
      interval: '1s',
      base_ejection_time: '3s',
      max_ejection_time_jitter: '0s',
      ...more,
    },
    ...cluster,
  },
});
const ejected = (number: number): ((proxy: FakeProxy) => void) =>
  counts({ 'outlier_detection.ejections_active': number, membership_healthy: 2 - number });

describe('a host is ejected', () => {
  play('for a response, and comes back with a tick after its time', detecting(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      answers(0, '500', ['content-length: 0', 'connection: close']),
      'client gets 500 [content-length: 0]',
      'host 0 is closed',
    ],
    [ejected(1)],
    [asks('GET /'), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets GET / []'],
    [
      answers(1, '200', ['content-length: 0', 'connection: close']),
      'client gets 200 [content-length: 0]',
      'host 1 is closed',
    ],
    [asks('GET /'), 'host 2 is dialled at 10.0.0.2'],
    [connects(2), 'host 2 gets GET / []'],
    [
      answers(2, '200', ['content-length: 0', 'connection: close']),
      'client gets 200 [content-length: 0]',
      'host 2 is closed',
    ],
    [passes(2999)],
    [ejected(1)],
    [passes(1)],
    [ejected(0)],
    [asks('GET /'), 'host 3 is dialled at 10.0.0.2'],
  ]);

  play('for a connection that is refused', detecting(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [refuses(0), 'client gets 503 [content-length: 98] … reset reason: remote connection failure'],
    [ejected(1)],
  ]);

  play('for breaking off', detecting(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      hostGoes(0),
      'client gets 503 [content-length: 95] … reset reason: connection termination',
      'host 0 is closed',
    ],
    [ejected(1)],
  ]);

  play('for taking too long', { ...detecting(), route: { timeout: '1s' } }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / [x-envoy-expected-rq-timeout-ms: 1000]'],
    [passes(1000), 'client gets 504 [content-length: 24] upstream request timeout', 'host 0 is closed'],
    [ejected(1)],
  ]);

  play('for a failure of a gRPC call', detecting(), [
    [
      asks('POST /', ['content-type: application/grpc', 'content-length: 0']),
      'host 0 is dialled at 10.0.0.1',
    ],
    [connects(0), 'host 0 gets POST / [content-length: 0]'],
    [
      answers(0, '200', ['grpc-status: 14', 'content-length: 0']),
      'client gets 200 [grpc-status: 14, content-length: 0]',
    ],
    [ejected(1)],
  ]);

  play('for an attempt that was retried', { ...detecting(), route: { retry_policy: { retry_on: '5xx' } } }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '503')],
    [ejected(1)],
    [passes(1), 'host 1 is dialled at 10.0.0.2'],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
  ]);
});

describe('a host is not ejected', () => {
  play('when too many are', detecting({ max_ejection_percent: 10 }), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [refuses(0), 'client gets 503 [content-length: 98] … reset reason: remote connection failure'],
    [ejected(0)],
  ]);

  play('by the mistakes of a client', detecting(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '404'), 'client gets 404 [content-length: 0]'],
    [ejected(0)],
  ]);

  play(
    'for an overflow of our own',
    detecting({}, { circuit_breakers: { thresholds: [{ max_pending_requests: 0 }] } }),
    [
      [
        asks('GET /'),
        'client gets 503 [x-envoy-overloaded: true, content-length: 81] … reset reason: overflow',
      ],
      [ejected(0)],
    ],
  );
});

describe('when too many are ejected', () => {
  const all = { max_ejection_percent: 100 };
  play('all are taken again', detecting(all), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [refuses(0), 'client gets 503 [content-length: 98] … reset reason: remote connection failure'],
    [asks('GET /'), 'host 1 is dialled at 10.0.0.2'],
    [refuses(1), 'client gets 503 [content-length: 98] … reset reason: remote connection failure'],
    [ejected(2)],
    [asks('GET /'), 'host 2 is dialled at 10.0.0.1'],
  ]);

  play(
    'none is, where the cluster says so',
    detecting(all, { common_lb_config: { healthy_panic_threshold: { value: 0 } } }),
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [refuses(0), 'client gets 503 [content-length: 98] … reset reason: remote connection failure'],
      [asks('GET /'), 'host 1 is dialled at 10.0.0.2'],
      [refuses(1), 'client gets 503 [content-length: 98] … reset reason: remote connection failure'],
      [ejected(2)],
      [asks('GET /'), 'client gets 503 [content-length: 19] no healthy upstream'],
    ],
  );
});
