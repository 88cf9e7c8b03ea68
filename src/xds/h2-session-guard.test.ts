import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
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
