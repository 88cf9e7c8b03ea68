// Workloads and callers that `up` must live with: programs that are not there, crash or chatter, and a proxy
// that is asked for itself.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ExampleCopy, UpRun } from '../e2e/up-run.ts';
import { ProcessFacts } from './process-facts.ts';
import { send, statuses } from './raw-client.ts';

const workload = (name: string, command: readonly string[]): string => `---
apiVersion: meltemi.dev/v1
kind: Process
metadata: {name: ${name}}
spec: {labels: {app: ${name}}, command: ${JSON.stringify(command)}, ports: [{name: http, port: 80}]}
`;

describe('hostile workloads', () => {
  const example = new ExampleCopy();
  const bad = [
    workload('missing', ['no-such-program']),
    workload('crash', ['node', '-e', 'console.error("boom");process.exit(3)']),
    workload('no-program', ['/etc/passwd']),
    workload('nameless', ['']),
    workload('chatty', ['node', '-e', 'setInterval(() => process.stdout.write("x".repeat(1e6)), 5)']),
  ];
  example.add('bad.yaml', bad.join(''));
  const up = new UpRun(example.folder);
  after(async () => {
    await up.end('SIGTERM');
    example.remove();
  });

  test('each is told of, and the others serve', { timeout: 60_000 }, async () => {
    await up.event('ready', () => true);
    const said = (text: RegExp): Promise<unknown> =>
      up.event('notice', (event) => text.test(String(event['message'])));
    await Promise.all([
      said(/^missing .*"no-such-program" was not found/),
      said(/^crash ended with code 3/),
      said(/^no-program cannot be started/),
    ]);
    await up.event('finding', (event) => /the program has no name/.test(String(event['message'])));
    assert.equal((await up.get('/productpage')).status, 200);
  });

  test('a line without end costs no memory', async () => {
    const facts = new ProcessFacts(up.pid);
    await pause(1000);
    const { memory } = facts;
    await pause(4000);
    assert.ok(facts.memory - memory < 150, `${facts.memory - memory} MB in four seconds`);
  });

  test('the HTTP proxy of a sidecar that is asked for itself answers, and is done', async () => {
    const pod = (await up.pods()).find(({ name }) => name === 'details-v1');
    const environment = readFileSync(`/proc/${pod?.pid}/environ`, 'latin1');
    const port = Number(/HTTP_PROXY=http:\/\/127\.0\.0\.1:(\d+)/.exec(environment)?.[1]);
    const facts = new ProcessFacts(up.pid);
    const { descriptors } = facts;
    const authority = `127.0.0.1:${port}`;
    const { text } = await send(
      port,
      `GET http://${authority}/ HTTP/1.1\r\nHost: ${authority}\r\nConnection: close\r\n\r\n`,
      {
        patienceMs: 5000,
      },
    );
    assert.ok([403, 404, 502, 503].includes(statuses(text)[0] ?? 0), text.slice(0, 200));
    await pause(500);
    assert.ok(facts.descriptors < descriptors + 10, `${descriptors} descriptors became ${facts.descriptors}`);
  });

  test('it listens on loopback alone', async () => {
    const inodes = new Set<string>();
    for (const line of readFileSync('/proc/net/tcp', 'utf8').split('\n').slice(1)) {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      // An address is written backwards: 127.0.0.1 is 0100007F.
      if (state === '0A' && local.slice(6, 8) !== '7F') inodes.add(inode);
    }
    const open = up.sockets().filter((inode) => inodes.has(inode));
    assert.deepEqual(open, []);
  });
});
