// Bad responses beside Envoy, towards an HTTP/1.1 and an HTTP/2 client; good ones must pass unharmed right
// afterwards.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { type BadResponse, badResponses } from './bad-responses.ts';
import { unexplained } from './explained.ts';
import { H2Client, outcome } from './h2-client.ts';
import { endHeaders, endStream, frame, frameType, requestBlock } from './h2-frames.ts';
import { send, statuses } from './raw-client.ts';
import { type Handler, okResponse, onEachHead } from './raw-upstream.ts';
import { compare, type Lane } from './side-by-side.ts';

interface Outcome {
  readonly statuses: readonly number[];
  /** Fields and body, without what differs from moment to moment. */
  readonly text: string;
  readonly overHttp2: string;
  readonly next: readonly number[];
}

const differences: Readonly<Record<string, readonly string[]>> = {
  'line ends other than CR LF, and folded fields, are read differently by different clients': [
    'ends after a head with bare LF',
    'fields folded',
  ],
  'there is no such status, or none that HTTP/1.1 allows there': [
    'status 99',
    'status 1000',
    'interim 101 that nobody asked for',
  ],
  'node:http2 sends no status above 599': ['status 600', 'status 999'],
  'fields of the connection end here, those that it names as well': [
    'interim 103 of the connection',
    'fields of the connection',
  ],
};

/** Answers `/N` with the row of that number. */
function handler(): Handler {
  return onEachHead((socket, head) => {
    const row = badResponses[Number(/^GET \/(\d+) /.exec(head)?.[1])];
    if (!row) {
      socket.write(okResponse);
      return;
    }
    socket.write(row.bytes, 'latin1');
    if (row.then) setTimeout(() => (row.then === 'reset' ? socket.resetAndDestroy() : socket.end()), 40);
  });
}

async function outcomeOf(lane: Lane, row: BadResponse): Promise<Outcome> {
  const path = `/${badResponses.indexOf(row)}`;
  const { text } = await send(lane.port, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
  const client = await H2Client.open(lane.port);
  client.send(frame(frameType.headers, endHeaders | endStream, 1, requestBlock({ path })));
  await client.until(() => outcome(client) !== 'nothing', 1500);
  await client.quiet(150);
  const overHttp2 = outcome(client);
  client.close();
  const next = statuses(
    (await send(lane.port, 'GET /good HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n')).text,
  );
  return { statuses: statuses(text), text: plain(text), overHttp2, next };
}

const changing = /^(date|x-envoy-upstream-service-time|server|connection): .*$/;

function plain(text: string): string {
  const end = text.lastIndexOf('\r\n\r\n');
  if (end < 0) return text;
  const lines = text
    .slice(0, end)
    // Envoy has no words for most of them.
    .replace(/^(HTTP\/1\.1 1\d\d) .*$/gm, '$1')
    .split('\r\n')
    .filter((line) => !changing.test(line));
  return `${lines.sort().join('|')}|${text.slice(end + 4)}`;
}

test('bad responses', { skip: reasonToSkipWithoutEnvoy() }, async () => {
  const outcomes = await compare(badResponses, { handler }, outcomeOf);
  assert.equal(outcomes.length, badResponses.length);
  assert.deepEqual(
    outcomes.filter(({ embedded }) => embedded.next.join() !== '200').map(({ row }) => row.name),
    [],
  );
  assert.deepEqual(unexplained(outcomes, differences), []);
});
