// Copies of requests: sent to another cluster, and forgotten.
import { describe } from 'node:test';
import {
  answers,
  asks,
  clientGoes,
  connects,
  hostGoes,
  hostReads,
  hostStalls,
  passes,
  play,
  refuses,
  type Setting,
  sends,
} from '../http/fake-proxy.ts';

const mirrored = (more: object = {}): Setting => ({
  route: { request_mirror_policies: [{ cluster: 'm', ...more }] },
});
const post = asks('POST /', ['content-length: 4']);
// The mirror is dialled first: it is connection 0, and the host of the request connection 1.

describe('a mirror', () => {
  play('has the request, and nobody waits for its answer', mirrored(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.3', 'host 1 is dialled at 10.0.0.1'],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '500')],
    [asks('GET /'), 'host 2 is dialled at 10.0.0.2', 'host 0 gets GET / []'],
  ]);

  play('has the body, as it comes and as it came before', mirrored(), [
    [post, 'host 0 is dialled at 10.0.0.3', 'host 1 is dialled at 10.0.0.1'],
    [sends('ab')],
    [connects(1), 'host 1 gets POST / [content-length: 4] ab'],
    [connects(0), 'host 0 gets POST / [content-length: 4] ab'],
    [sends('cd'), 'host 0 gets cd', 'host 1 gets cd'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
  ]);

  play('has what the whole request had', mirrored(), [
    [
      asks('POST /', ['content-length: 4'], 'abcd'),
      'host 0 is dialled at 10.0.0.3',
      'host 1 is dialled at 10.0.0.1',
    ],
    [connects(1), 'host 1 gets POST / [content-length: 4] abcd'],
    [connects(0), 'host 0 gets POST / [content-length: 4] abcd'],
  ]);

  play('that cannot be reached changes nothing', mirrored(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.3', 'host 1 is dialled at 10.0.0.1'],
    [refuses(0)],
    [connects(1), 'host 1 gets GET / []'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
  ]);

  play('that breaks off changes nothing', mirrored(), [
    [post, 'host 0 is dialled at 10.0.0.3', 'host 1 is dialled at 10.0.0.1'],
    [connects(1), 'host 1 gets POST / [content-length: 4]'],
    [connects(0), 'host 0 gets POST / [content-length: 4]'],
    [hostGoes(0), 'host 0 is closed'],
    [sends('abcd'), 'host 1 gets abcd'],
    [answers(1, '200'), 'client gets 200 [content-length: 0]'],
  ]);

  play('of a cluster that there is not is none', mirrored({ cluster: 'x' }), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [answers(0, '200'), 'client gets 200 [content-length: 0]'],
  ]);

  play('without hosts is none', { ...mirrored(), mirror: { load_assignment: { cluster_name: 'm' } } }, [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
  ]);

  play('that does not answer is given up', mirrored(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.3', 'host 1 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [passes(14_999)],
    [passes(1), 'host 0 is closed'],
  ]);

  play('that is not there in time is not waited for', mirrored(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.3', 'host 1 is dialled at 10.0.0.1'],
    [passes(15_000)],
    [connects(0)],
  ]);

  play('that reads slowly does not hold the request back', mirrored(), [
    [
      asks('POST /', ['content-length: 2097152']),
      'host 0 is dialled at 10.0.0.3',
      'host 1 is dialled at 10.0.0.1',
    ],
    [connects(1), 'host 1 gets POST / [content-length: 2097152]'],
    [connects(0), 'host 0 gets POST / [content-length: 2097152]'],
    [hostStalls(0)],
    [sends('a'), 'host 0 gets a', 'host 1 gets a'],
    [sends('b'), 'host 0 gets b', 'host 1 gets b'],
    [hostReads(0)],
    [sends('c'), 'host 0 gets c', 'host 1 gets c'],
  ]);

  play('that reads too slowly is given up', mirrored(), [
    [
      asks('POST /', ['content-length: 2097152']),
      'host 0 is dialled at 10.0.0.3',
      'host 1 is dialled at 10.0.0.1',
    ],
    [connects(0), 'host 0 gets POST / [content-length: 2097152]'],
    [connects(1), 'host 1 gets POST / [content-length: 2097152]'],
    [hostStalls(0)],
    [sends('a'), 'host 0 gets a', 'host 1 gets a'],
    [sends('b'.repeat(1 << 20)), 'host 0 gets b*1048576', 'host 1 gets b*1048576'],
    [sends('c'), 'host 0 is closed', 'host 1 gets c'],
  ]);

  play('that is not there yet is given up when too much waits for it', mirrored(), [
    [
      asks('POST /', ['content-length: 2097152']),
      'host 0 is dialled at 10.0.0.3',
      'host 1 is dialled at 10.0.0.1',
    ],
    [connects(1), 'host 1 gets POST / [content-length: 2097152]'],
    [sends('a'.repeat(1 << 20)), 'host 1 gets a*1048576'],
    [sends('b'), 'host 1 gets b'],
    [connects(0)],
  ]);

  play('goes on when the client has gone', mirrored(), [
    [asks('GET /'), 'host 0 is dialled at 10.0.0.3', 'host 1 is dialled at 10.0.0.1'],
    [connects(0), 'host 0 gets GET / []'],
    [clientGoes, 'client is closed'],
    [answers(0, '200')],
  ]);

  play(
    'gets a part of the requests',
    { ...mirrored({ runtime_fraction: { default_value: { numerator: 50 } } }), draws: 0.5 },
    [[asks('GET /'), 'host 0 is dialled at 10.0.0.2']],
  );

  play(
    'gets its part of the requests',
    { ...mirrored({ runtime_fraction: { default_value: { numerator: 51 } } }), draws: 0.5 },
    [[asks('GET /'), 'host 0 is dialled at 10.0.0.3', 'host 1 is dialled at 10.0.0.2']],
  );
});
