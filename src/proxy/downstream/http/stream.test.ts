// A request as a whole: what it is refused for, what it is answered with, and its limits of time.
import { describe } from 'node:test';
import {
  answers,
  asks,
  clientReads,
  clientStalls,
  connects,
  hostSends,
  isIdle,
  passes,
  play,
  type Setting,
  sends,
  tells,
} from './fake-proxy.ts';

const routed = (action: object): Setting => ({ action });
const post = asks('POST /', ['content-length: 4']);

describe('answers of the proxy itself', () => {
  play('no route', { manager: { route_config: { name: 'r' } } }, [
    [asks('GET /'), 'client gets 404 [content-length: 0]'],
    [tells({ rq_total: 1, rq_4xx: 1, rq_active: 0 })],
  ]);
  play('a text', routed({ direct_response: { status: 418, body: { inline_string: 'tea' } } }), [
    [asks('GET /'), 'client gets 418 [content-length: 3] tea'],
  ]);
  play('a redirect', routed({ redirect: { path_redirect: '/b' } }), [
    [asks('GET /a'), 'client gets 301 [location: http://a/b, content-length: 0]'],
  ]);
  play('nothing to be had here', routed({ non_forwarding_action: {} }), [
    [asks('GET /'), 'client gets 500 [content-length: 0]'],
  ]);
  play('a text for gRPC', routed({ direct_response: { status: 503, body: { inline_string: 'no' } } }), [
    [
      asks('POST /', ['content-type: application/grpc', 'content-length: 0']),
      'client gets 200 [grpc-status: 14, grpc-message: no, content-length: 0]',
    ],
  ]);
});

describe('what is not let in', () => {
  const admitted = (manager: object): Setting => ({ manager });
  play('a path that cannot be normalised', admitted({ normalize_path: true }), [
    [asks('GET /%00'), 'client gets 400 [content-length: 0, connection: close]', 'client is ended'],
  ]);
  play(
    'escaped slashes',
    admitted({ path_with_escaped_slashes_action: 'REJECT_REQUEST', normalize_path: true }),
    [[asks('GET /a%2fb'), 'client gets 400 [content-length: 0, connection: close]', 'client is ended']],
  );
  play(
    'escaped slashes, sent to where they are none',
    admitted({ path_with_escaped_slashes_action: 'UNESCAPE_AND_REDIRECT', normalize_path: true }),
    [[asks('GET /a%2fb'), 'client gets 307 [location: /a/b, content-length: 0]']],
  );
  play(
    'underscores',
    admitted({ common_http_protocol_options: { headers_with_underscores_action: 'REJECT_REQUEST' } }),
    [
      [
        asks('GET /', ['a_b: 1']),
        'client gets 400 [content-length: 0, connection: close]',
        'client is ended',
      ],
    ],
  );
  play('a fragment', admitted({}), [
    [asks('GET /a#b'), 'client gets 400 [content-length: 0, connection: close]', 'client is ended'],
  ]);
});

describe('100-continue', () => {
  play('is answered here', {}, [
    [
      asks('POST /', ['expect: 100-continue', 'content-length: 2']),
      'host 0 is dialled at 10.0.0.1',
      'client gets 100 []',
    ],
    [connects(0), 'host 0 gets POST / [content-length: 2]'],
  ]);
  play('is left to the host', { manager: { proxy_100_continue: true } }, [
    [asks('POST /', ['expect: 100-continue', 'content-length: 2']), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [expect: 100-continue, content-length: 2]'],
  ]);
});

describe('limits of time of the connection manager', () => {
  const idle: Setting = { manager: { stream_idle_timeout: '1s' } };
  play('idle while the body is to come', idle, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [passes(900)],
    [sends('ab'), 'host 0 gets ab'],
    [passes(999)],
    [
      passes(1),
      'client gets 408 [content-length: 14, connection: close] stream timeout',
      'client is ended',
      'host 0 is closed',
    ],
    [isIdle],
    [tells({ rq_idle_timeout: 1 })],
  ]);
  play('idle while the host thinks', idle, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [passes(1000), 'client gets 504 [content-length: 14] stream timeout', 'host 0 is closed'],
    [tells({ rq_idle_timeout: 1, rq_5xx: 1 })],
  ]);
  play('idle within the response', idle, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [passes(900)],
    [hostSends(0, 'c'), 'client gets c'],
    [passes(999)],
    [passes(1), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);
  play('a client that stopped reading is idle', idle, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [clientStalls],
    [
      answers(0, '200', ['content-length: 4'], 'ab'),
      'client gets 200 [content-length: 4] ab',
      'host 0 is not read',
    ],
    [passes(1000), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);
  play('a client that reads again is not', idle, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [clientStalls],
    [
      answers(0, '200', ['content-length: 4'], 'ab'),
      'client gets 200 [content-length: 4] ab',
      'host 0 is not read',
    ],
    [passes(900)],
    [clientReads, 'host 0 is read again'],
    [hostSends(0, 'cd'), 'client gets cd'],
    [passes(1000)],
  ]);
  play(
    'a request that takes too long to come',
    { manager: { request_timeout: '1s', stream_idle_timeout: '0s' } },
    [
      [post, 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets POST / [content-length: 4]'],
      [passes(900)],
      [sends('ab'), 'host 0 gets ab'],
      [passes(99)],
      [
        passes(1),
        'client gets 408 [content-length: 15, connection: close] request timeout',
        'client is ended',
        'host 0 is closed',
      ],
      [isIdle],
      [tells({ rq_timeout: 1 })],
    ],
  );
  play('a request that came in time', { manager: { request_timeout: '1s', stream_idle_timeout: '0s' } }, [
    [post, 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [passes(999)],
    [sends('abcd'), 'host 0 gets abcd'],
    [passes(60_000)],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
  ]);
  const lasts: Setting = { manager: { common_http_protocol_options: { max_stream_duration: '1s' } } };
  play('a stream that lasts too long', lasts, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [passes(1000), 'client gets 504 [content-length: 27] downstream duration timeout', 'host 0 is closed'],
    [isIdle],
    [tells({ rq_max_duration_reached: 1 })],
  ]);
  play('a stream that lasts too long while something passes', lasts, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [passes(999)],
    [hostSends(0, 'c'), 'client gets c'],
    [passes(1), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);
  play('each request of a connection has its time', lasts, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [passes(900)],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
    [asks('GET /'), 'host 1 is dialled at 10.0.0.2'],
    [passes(900)],
    [connects(1), 'host 1 gets GET / []'],
    [passes(99)],
    [passes(1), 'client gets 504 [content-length: 27] downstream duration timeout', 'host 1 is closed'],
  ]);
});

describe('limits of time of the route', () => {
  const onRoute = (route: object): Setting => ({ route, manager: { stream_idle_timeout: '1s' } });
  play('idle sooner', onRoute({ idle_timeout: '0.5s' }), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [passes(500), 'client gets 504 [content-length: 14] stream timeout'],
  ]);
  play('idle later', onRoute({ idle_timeout: '2s' }), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [passes(1999)],
    [passes(1), 'client gets 504 [content-length: 14] stream timeout'],
  ]);
  play('never idle', onRoute({ idle_timeout: '0s' }), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [passes(60_000)],
  ]);
  play(
    'no longer than this',
    onRoute({ idle_timeout: '0s', max_stream_duration: { max_stream_duration: '3s' } }),
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [passes(2999)],
      [passes(1), 'client gets 504 [content-length: 27] downstream duration timeout'],
    ],
  );
  play(
    'as long as a gRPC call asks for',
    onRoute({ idle_timeout: '0s', max_stream_duration: { grpc_timeout_header_max: '10s' } }),
    [
      [
        asks('POST /', ['content-type: application/grpc', 'grpc-timeout: 2S', 'content-length: 0']),
        'host 0 is dialled at 10.0.0.1',
      ],
      [passes(1999)],
      [
        passes(1),
        'client gets 200 [grpc-status: 14, grpc-message: downstream duration timeout, content-length: 0]',
      ],
    ],
  );
});
