// The router: how long a request, a try and a stream of a host may take.
import { describe } from 'node:test';
import {
  answers,
  asks,
  connects,
  counts,
  hostSends,
  isIdle,
  passes,
  play,
  sends,
} from '../http/fake-proxy.ts';

const retry = (on: string, more: object = {}): object => ({
  route: { retry_policy: { retry_on: on, num_retries: 1, ...more } },
});
const post = asks('POST /', ['content-length: 4']);

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
      [passes(900)],
      [hostSends(0, 'c'), 'client gets c'],
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
});

function lastsFor(duration: string): object {
  const type = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';
  const options = {
    '@type': `type.googleapis.com/${type}`,
    explicit_http_config: { http_protocol_options: {} },
    common_http_protocol_options: { max_stream_duration: duration },
  };
  return { typed_extension_protocol_options: { [type]: options } };
}
