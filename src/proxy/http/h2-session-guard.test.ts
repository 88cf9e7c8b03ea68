import assert from 'node:assert/strict';
import { once } from 'node:events';
import http2 from 'node:http2';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { guardedSessions, guardSession } from './h2-session-guard.ts';

test('the native half of a session is found, and kept after its end', async () => {
  const server = http2.createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = http2.connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const [session] = (await once(server, 'session')) as [http2.ServerHttp2Session];
  await once(client, 'connect');
  assert.ok(guardSession(session));
  assert.ok(guardSession(client));
  const before = guardedSessions();
  const ends = Promise.all([once(session, 'close'), once(client, 'close')]);
  client.destroy();
  await ends;
  assert.equal(guardedSessions(), before + 2);
  server.close();
});
