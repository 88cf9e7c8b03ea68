// The administration port: odd targets, foreign names, bytes that are not HTTP. Nothing ends the process but
// its owner.
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { bootstrap, cluster } from './bootstrap.ts';
import { unexplained } from './explained.ts';
import { freePorts } from './free-ports.ts';
import { type Kind, kinds, ProxyProcess } from './proxy-process.ts';
import { send, statuses } from './raw-client.ts';

interface Row {
  readonly name: string;
  readonly bytes: string;
}

const get = (target: string, host = 'a'): string => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const post = (target: string, host: string, more = ''): string =>
  `POST ${target} HTTP/1.1\r\nHost: ${host}\r\n${more}Content-Length: 0\r\n\r\n`;

const rows: readonly Row[] = [
  { name: 'two slashes', bytes: get('//') },
  { name: 'three slashes', bytes: get('///x') },
  { name: 'half an address', bytes: get('http://[') },
  { name: 'a bad escape in an address', bytes: get('http://%zz/') },
  { name: 'bad escapes', bytes: get('/%zz?%zz=%') },
  { name: 'dots', bytes: get('/../../etc/passwd') },
  { name: 'an asterisk', bytes: 'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n' },
  { name: 'reading under a foreign name', bytes: get('/ready', 'evil.com') },
  { name: 'quit by GET', bytes: get('/quitquitquit') },
  { name: 'quit by a foreign page', bytes: post('/quitquitquit', 'evil.com', 'Origin: http://evil.com\r\n') },
  { name: 'quit under a foreign name', bytes: post('/quitquitquit', 'evil.com') },
  {
    name: 'quit by a foreign page, by address',
    bytes: post('/quitquitquit', '127.0.0.1', 'Origin: http://evil.com\r\n'),
  },
  { name: 'drain under a foreign name', bytes: post('/drain_listeners', 'evil.com') },
  { name: 'quit by its owner', bytes: post('/quitquitquit', 'localhost') },
  { name: 'not HTTP', bytes: '\x00\x01garbage\r\n\r\n' },
  { name: 'a regular expression that is none', bytes: get('/stats?filter=(') },
];

interface Outcome {
  readonly statuses: readonly number[];
  readonly alive: boolean;
}

async function outcomeOf(kind: Kind, row: Row): Promise<Outcome> {
  const [adminPort = 0, port = 0] = await freePorts(2);
  const proxy = await ProxyProcess.start(
    kind,
    bootstrap({ adminPort, listeners: [{ port }], clusters: [cluster('up', 1)] }),
  );
  try {
    const { text } = await send(adminPort, row.bytes, { patienceMs: 1000 });
    return { statuses: statuses(text), alive: !(await proxy.ended(1000)) };
  } finally {
    await proxy.stop();
  }
}

/** Each row has two processes of its own. */
const atOnce = 4;

async function both(
  row: Row,
): Promise<{ row: Row; embedded: Outcome | undefined; envoy: Outcome | undefined }> {
  const [embedded, envoy] = await Promise.all(kinds.map((kind) => outcomeOf(kind, row)));
  return { row, embedded, envoy };
}

describe('the administration port', () => {
  test('answers everybody and is changed by its owner alone', async () => {
    const compared = [];
    for (let i = 0; i < rows.length; i += atOnce)
      compared.push(...(await Promise.all(rows.slice(i, i + atOnce).map(both))));
    for (const { row, embedded } of compared)
      assert.equal(embedded?.alive, row.name !== 'quit by its owner', row.name);
    assert.deepEqual(
      unexplained(compared, {
        'Envoy takes changes from whoever can send to the port': [
          'quit by a foreign page',
          'quit under a foreign name',
          'quit by a foreign page, by address',
          'drain under a foreign name',
        ],
      }),
      [],
    );
  });
});
