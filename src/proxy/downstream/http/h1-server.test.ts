// An HTTP/1.1 connection of a client: requests in turn, what ends it, and how much it may hold.
import { describe } from 'node:test';
import { endpointsAt } from '../../upstream/fake-cluster.ts';
import {
  answers,
  asks,
  clientEnds,
  clientGoes,
  clientReads,
  clientStalls,
  connects,
  drains,
  hostEnds,
  hostGoes,
  hostSends,
  isIdle,
  passes,
  play,
  type Setting,
  sends,
  tells,
} from './fake-proxy.ts';

const get = 'GET / HTTP/1.1\r\nhost: a\r\n\r\n';
const direct = (status = 200, manager: object = {}): Setting => ({
  action: { direct_response: { status, body: { inline_string: 'd' } } },
  manager,
});
const onlyHost = { cluster: endpointsAt('10.0.0.1') };

describe('requests in turn', () => {
  play('one after the other on one connection', direct(), [
    [asks('GET /1'), 'client gets 200 [content-length: 1] d'],
    [asks('GET /2'), 'client gets 200 [content-length: 1] d'],
    [tells({ cx_total: 1, cx_active: 1, rq_total: 2, rq_completed: 2, rq_2xx: 2 })],
  ]);

  play('all at once, each is answered when the one before it is', onlyHost, [
    [sends(get + get), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200'), 'client gets 200 [content-length: 0]', 'host 0 gets GET / []'],
    [answers(0, '201'), 'client gets 201 [content-length: 0]'],
    [isIdle],
  ]);

  play('a head in pieces', direct(), [
    [sends('GET / HT')],
    [sends('TP/1.1\r\nho')],
    [sends('st: a\r\n\r\n'), 'client gets 200 [content-length: 1] d'],
  ]);

  play('a body that nobody asked to read is left over', direct(), [
    [
      asks('POST /', ['content-length: 2'], 'hi'),
      'client gets 200 [content-length: 1, connection: close] d',
      'client is ended',
    ],
    [sends(get)],
    [passes(1000), 'client is closed'],
  ]);

  play('an answer to HEAD has no body', direct(), [
    [asks('HEAD /'), 'client gets 200 [content-length: 1]'],
    [asks('GET /'), 'client gets 200 [content-length: 1] d'],
  ]);

  play('answers that the client does not read: its next request waits', direct(), [
    [clientStalls],
    [sends(get + get + get), 'client gets 200 [content-length: 1] d'],
    [clientReads, 'client gets 200 [content-length: 1] d200 [content-length: 1] d'],
  ]);

  play('a response that the client does not read holds back its next request', onlyHost, [
    [sends(get + get), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [clientStalls],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
    [clientReads, 'host 0 gets GET / []'],
  ]);

  play('a response in pieces that overtakes its request is the last one', onlyHost, [
    [asks('POST /', ['content-length: 4']), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [hostSends(0, 'cd'), 'client gets cd', 'client is ended', 'host 0 is closed'],
    [sends('late')],
    [passes(1000), 'client is closed'],
  ]);

  play('much that comes too early is not read', onlyHost, [
    [sends(get), 'host 0 is dialled at 10.0.0.1'],
    [
      sends(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 70000\r\n\r\n${'x'.repeat(70_000)}`),
      'client is not read',
    ],
    [connects(0), 'host 0 gets GET / []'],
    [
      answers(0, '200'),
      'client gets 200 [content-length: 0]',
      'client is read again',
      'host 0 gets POST / [content-length: 70000] x*70000',
    ],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
    [isIdle],
  ]);
});

describe('a connection ends', () => {
  play('when the client says so', direct(), [
    [
      asks('GET /', ['connection: close']),
      'client gets 200 [content-length: 1, connection: close] d',
      'client is ended',
    ],
    [sends('more')],
    [passes(999)],
    [passes(1), 'client is closed'],
    [tells({ cx_active: 0 })],
  ]);

  play('when the client ends it between requests', direct(), [
    [asks('GET /'), 'client gets 200 [content-length: 1] d'],
    [clientEnds, 'client is ended'],
  ]);

  play('when the client ends it in a head', direct(), [
    [sends('GET / HT')],
    [clientEnds, 'client is closed'],
    [tells({ cx_active: 0, rq_total: 0 })],
  ]);

  play('when the client ends it in a body', {}, [
    [asks('POST /', ['content-length: 4'], 'ab'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [content-length: 4] ab'],
    [clientEnds, 'client is closed', 'host 0 is closed'],
    [isIdle],
    [tells({ rq_rx_reset: 1 })],
  ]);

  play(
    'when it has been idle for long',
    direct(200, { common_http_protocol_options: { idle_timeout: '5s' } }),
    [
      [passes(4000)],
      [asks('GET /'), 'client gets 200 [content-length: 1] d'],
      [passes(4999)],
      [passes(1), 'client is ended'],
    ],
  );

  play(
    'not for idleness while a request is under way',
    { manager: { common_http_protocol_options: { idle_timeout: '5s' }, stream_idle_timeout: '0s' } },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / []'],
      [passes(60_000)],
      [answers(0, '200'), 'client gets 200 [content-length: 0]'],
      [passes(4999)],
      [passes(1), 'client is ended'],
    ],
  );

  play(
    'after as long as it may last',
    direct(200, { common_http_protocol_options: { max_connection_duration: '5s' } }),
    [
      [asks('GET /'), 'client gets 200 [content-length: 1] d'],
      [passes(4999)],
      [passes(1), 'client is ended'],
    ],
  );

  play(
    'after as long as it may last and its response',
    { manager: { common_http_protocol_options: { max_connection_duration: '5s' } } },
    [
      [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
      [connects(0), 'host 0 gets GET / []'],
      [passes(5000)],
      [answers(0, '200'), 'client gets 200 [content-length: 0, connection: close]', 'client is ended'],
    ],
  );

  play(
    'after as many requests as it may carry',
    direct(200, { common_http_protocol_options: { max_requests_per_connection: 2 } }),
    [
      [asks('GET /'), 'client gets 200 [content-length: 1] d'],
      [sends(get + get), 'client gets 200 [content-length: 1, connection: close] d', 'client is ended'],
    ],
  );

  play('after the response when its listener leaves', onlyHost, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [drains(false)],
    [answers(0, '200'), 'client gets 200 [content-length: 0, connection: close]', 'client is ended'],
  ]);

  play('at once when its listener leaves and it is idle', direct(), [
    [asks('GET /'), 'client gets 200 [content-length: 1] d'],
    [drains(true), 'client is ended'],
  ]);

  play('with its next response when its listener is replaced', direct(), [
    [drains(false)],
    [asks('GET /'), 'client gets 200 [content-length: 1, connection: close] d', 'client is ended'],
  ]);

  play('with the next response of a proxy that leaves', { ...direct(), draining: () => true }, [
    [asks('GET /'), 'client gets 200 [content-length: 1, connection: close] d', 'client is ended'],
  ]);

  play('at once when it is told to', {}, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [({ connection }) => connection.destroy(), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);

  play('what a client goes on sending is read for a while', direct(), [
    [
      asks('GET /', ['connection: close']),
      'client gets 200 [content-length: 1, connection: close] d',
      'client is ended',
    ],
    [sends('x'.repeat(1 << 20))],
    [sends('x'), 'client is not read'],
  ]);
});

describe('a head takes too long', () => {
  play('by its own limit', direct(200, { request_headers_timeout: '2s' }), [
    [passes(60_000)],
    [sends('GET /')],
    [passes(1999)],
    [
      passes(1),
      'client gets 408 [content-length: 22, connection: close] request header timeout',
      'client is ended',
    ],
    [passes(1000), 'client is closed'],
  ]);

  play('by the limit of the request', direct(200, { request_timeout: '3s', stream_idle_timeout: '4s' }), [
    [sends('GET /')],
    [
      passes(3000),
      'client gets 408 [content-length: 15, connection: close] request timeout',
      'client is ended',
    ],
  ]);

  play('the limit ends with the head', direct(200, { request_headers_timeout: '2s' }), [
    [sends('GET / HTTP/1.1\r\n')],
    [passes(1999)],
    [sends('host: a\r\n\r\n'), 'client gets 200 [content-length: 1] d'],
    [passes(60_000)],
  ]);

  play('each head has its time', direct(200, { request_headers_timeout: '2s' }), [
    [sends('GET /')],
    [passes(1500)],
    [sends(' HTTP/1.1\r\nhost: a\r\n\r\n'), 'client gets 200 [content-length: 1] d'],
    [sends('GET /')],
    [passes(1500)],
    [sends(' HTTP/1.1\r\nhost: a\r\n\r\n'), 'client gets 200 [content-length: 1] d'],
  ]);
});

describe('what is no request', () => {
  for (const [name, text] of [
    ['other words', 'hello\r\n\r\n'],
    ['an unknown method', 'BREW / HTTP/1.1\r\nhost: a\r\n\r\n'],
    ['two lengths', 'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n'],
    [
      'a length and chunks',
      'POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 1\r\ntransfer-encoding: chunked\r\n\r\n',
    ],
    ['a space before a colon', 'GET / HTTP/1.1\r\nhost : a\r\n\r\n'],
  ] as const)
    play(`${name}: refused`, direct(), [
      [sends(text), 'client gets 400 [content-length: 11, connection: close] Bad Request', 'client is ended'],
    ]);
  play('no host', direct(), [
    [
      sends('GET / HTTP/1.1\r\n\r\n'),
      'client gets 400 [content-length: 0, connection: close]',
      'client is ended',
    ],
  ]);
  play('an unknown coding', direct(), [
    [
      asks('POST /', ['transfer-encoding: br']),
      'client gets 501 [content-length: 15, connection: close] Not Implemented',
      'client is ended',
    ],
  ]);
  play('HTTP/1.0', direct(), [
    [
      sends('GET / HTTP/1.0\r\nhost: a\r\n\r\n'),
      'client gets 426 [content-length: 0, connection: close]',
      'client is ended',
    ],
  ]);
  play('HTTP/3.0', direct(), [
    [
      sends('GET / HTTP/3.0\r\nhost: a\r\n\r\n'),
      'client gets 426 [content-length: 0, connection: close]',
      'client is ended',
    ],
  ]);
  play('too long a head', direct(200, { max_request_headers_kb: 1 }), [
    [
      asks('GET /', [`x: ${'y'.repeat(1100)}`]),
      'client gets 431 [content-length: 31, connection: close] Request Header Fields Too Large',
      'client is ended',
    ],
    [tells({ cx_protocol_error: 1 })],
  ]);
  play('too many fields', direct(200, { common_http_protocol_options: { max_headers_count: 2 } }), [
    [
      asks('GET /', ['x: 1', 'y: 2']),
      'client gets 431 [content-length: 31, connection: close] Request Header Fields Too Large',
      'client is ended',
    ],
  ]);
  play('chunks that are none, before the response', {}, [
    [asks('POST /', ['transfer-encoding: chunked']), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [transfer-encoding: chunked]'],
    [
      sends('x\r\n'),
      'client gets 400 [content-length: 11, connection: close] Bad Request',
      'client is ended',
      'host 0 is closed',
    ],
    [isIdle],
  ]);
  play('chunks that are none, within the response', {}, [
    [asks('POST /', ['transfer-encoding: chunked']), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets POST / [transfer-encoding: chunked]'],
    [answers(0, '200', ['content-length: 4'], 'ab'), 'client gets 200 [content-length: 4] ab'],
    [sends('x\r\n'), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);
  play('after a request that was one', onlyHost, [
    [sends(`${get}what\r\n\r\n`), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      answers(0, '200'),
      'client gets 200 [content-length: 0] 400 [content-length: 11, connection: close] Bad Request',
      'client is ended',
    ],
  ]);
});

describe('HTTP/1.0', () => {
  const old = { http_protocol_options: { accept_http_10: true, default_host_for_http_10: 'b' } };
  play('closes', direct(200, old), [
    [
      sends('GET / HTTP/1.0\r\n\r\n'),
      'client gets 200 [content-length: 1, connection: close] d',
      'client is ended',
    ],
  ]);
  play('stays open on request', direct(200, old), [
    [
      sends('GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n'),
      'client gets 200 [content-length: 1, connection: keep-alive] d',
    ],
    [
      sends('GET / HTTP/1.0\r\n\r\n'),
      'client gets 200 [content-length: 1, connection: close] d',
      'client is ended',
    ],
  ]);
  play('has a body without a length end with the connection', { manager: old }, [
    [sends('GET / HTTP/1.0\r\nconnection: keep-alive\r\n\r\n'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [
      answers(0, '200', ['transfer-encoding: chunked'], '1\r\na\r\n'),
      'client gets 200 [connection: close] a',
    ],
    [hostSends(0, '0\r\n\r\n'), 'client is ended'],
  ]);
  play('is told nothing before the response', { manager: { ...old, proxy_100_continue: true } }, [
    [sends('GET / HTTP/1.0\r\n\r\n'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [hostSends(0, 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  ]);
});

describe('another protocol', () => {
  const web = { upgrade_configs: [{ upgrade_type: 'websocket' }] };
  const upgrade = ['connection: upgrade', 'upgrade: websocket'];
  play('is upgraded to, and bytes go both ways until one side ends', { manager: web }, [
    [asks('GET /', upgrade, 'early'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / [connection: upgrade, upgrade: websocket]'],
    [
      answers(0, '101', upgrade, 'hello'),
      'client gets 101 [connection: upgrade, upgrade: websocket] hello',
      'host 0 gets early',
    ],
    [sends('ping'), 'host 0 gets ping'],
    [hostSends(0, 'pong'), 'client gets pong'],
    [hostEnds(0), 'client is ended', 'host 0 is closed'],
    [clientEnds],
    [isIdle],
  ]);

  play('is refused by the host', { manager: web }, [
    [asks('GET /', upgrade), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / [connection: upgrade, upgrade: websocket]'],
    [
      answers(0, '403'),
      'client gets 403 [content-length: 0, connection: close]',
      'client is ended',
      'host 0 is closed',
    ],
    [isIdle],
  ]);

  play('is not allowed here', {}, [
    [asks('GET /', upgrade), 'client gets 403 [content-length: 0, connection: close]', 'client is ended'],
  ]);

  play('with a body is no request', { manager: web }, [
    [
      asks('GET /', [...upgrade, 'content-length: 2'], 'hi'),
      'client gets 400 [content-length: 11, connection: close] Bad Request',
      'client is ended',
    ],
  ]);

  play('h2c is not upgraded to, and ignored', {}, [
    [
      asks('GET /', ['connection: upgrade, http2-settings', 'upgrade: h2c', 'http2-settings: x']),
      'host 0 is dialled at 10.0.0.1',
    ],
    [connects(0), 'host 0 gets GET / []'],
  ]);

  play('holds back who is not read', { manager: web }, [
    [asks('GET /', upgrade), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / [connection: upgrade, upgrade: websocket]'],
    [answers(0, '101', upgrade, ''), 'client gets 101 [connection: upgrade, upgrade: websocket]'],
    [clientStalls],
    [hostSends(0, 'a'), 'client gets a', 'host 0 is not read'],
    [clientReads, 'host 0 is read again'],
  ]);

  play('ends with the client', { manager: web }, [
    [asks('GET /', upgrade), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / [connection: upgrade, upgrade: websocket]'],
    [answers(0, '101', upgrade, ''), 'client gets 101 [connection: upgrade, upgrade: websocket]'],
    [clientGoes, 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);

  play('ends with the host', { manager: web }, [
    [asks('GET /', upgrade), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / [connection: upgrade, upgrade: websocket]'],
    [answers(0, '101', upgrade, ''), 'client gets 101 [connection: upgrade, upgrade: websocket]'],
    [hostGoes(0), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);

  play('is not idle as long as something passes', { manager: { ...web, stream_idle_timeout: '1s' } }, [
    [asks('GET /', upgrade), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / [connection: upgrade, upgrade: websocket]'],
    [answers(0, '101', upgrade, ''), 'client gets 101 [connection: upgrade, upgrade: websocket]'],
    [passes(900)],
    [sends('a'), 'host 0 gets a'],
    [passes(900)],
    [hostSends(0, 'b'), 'client gets b'],
    [passes(999)],
    [passes(1), 'client is closed', 'host 0 is closed'],
    [isIdle],
  ]);
});
