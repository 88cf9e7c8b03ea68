import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { test } from 'node:test';
import { setImmediate } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { guardServerSessions, guardSession, isKept } from './h2-session-guard.ts';

test('the native half of a session is found, and kept after its end', async () => {
  const server = http2.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [session] = (await once(server, 'session')) as [http2.ServerHttp2Session];
  await once(client, 'connect');
  assert.ok(guardSession(session));
  assert.ok(guardSession(client));
  assert.deepEqual([session, client].map(isKept), [false, false]);
  const ends = Promise.all([once(session, 'close'), once(client, 'close')]);
  client.destroy();
  await ends;
  assert.deepEqual([session, client].map(isKept), [true, true]);
  server.close();
});

test('sessions of servers that do not show them, until that is ended', async () => {
  const server = http2.createServer((_request, response) => void response.end()).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const visit = async (): Promise<boolean> => {
    const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
    const [session] = (await once(server, 'session')) as [http2.ServerHttp2Session];
    await Promise.all([1, 2].map(() => once(client.request().resume(), 'end')));
    const ends = once(session, 'close');
    client.destroy();
    await ends;
    return isKept(session);
  };
  const unguard = guardServerSessions();
  assert.equal(await visit(), true);
  unguard();
  assert.equal(await visit(), false);
  server.close();
});

test('a session that nobody needs any more is let go of, acknowledged settings or not', async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const server = http2.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const visit = async (): Promise<WeakRef<http2.Http2Session>> => {
    const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
    // A preface and SETTINGS of its own, but no acknowledgement of the server's.
    client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\x00\x00\x00\x04\x00\x00\x00\x00\x00');
    const [session] = (await once(server, 'session')) as [http2.ServerHttp2Session];
    session.once('error', () => {});
    guardSession(session);
    const ends = once(session, 'close');
    client.resetAndDestroy();
    await ends;
    return new WeakRef(session);
  };
  const visits = [await visit(), await visit(), await visit()];
  t.mock.timers.tick(60_000);
  t.mock.timers.reset();
  server.close();
  // The last of its native half goes in turns of the loop.
  const left = (): number => visits.filter((session) => session.deref() !== undefined).length;
  for (let turn = 0; turn < 50 && left() > 0; turn++) {
    await setImmediate();
    collect();
  }
  assert.equal(left(), 0);
});
