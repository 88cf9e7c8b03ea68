// Hostile HTTP/2 requests beside Envoy: answered alike, or refused by both, and the same requests at the
// upstream.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { unexplained } from './explained.ts';
import { H2Client, outcome } from './h2-client.ts';
import { corpus, type HostileH2 } from './h2-corpus.ts';
import { compare, type Lane } from './side-by-side.ts';

interface Outcome {
  /**
   * A status, or that the request was refused by a reset, an error of the connection, its end or silence
   * before that.
   */
  readonly answer: string;
  readonly requests: readonly string[];
}

const differences: Readonly<Record<string, readonly string[]>> = {
  'node:http2 leaves out fields with malformed names or values, and nothing beyond it sees them; Envoy ends the connection':
    [
      'field name with a space',
      'field name with a colon',
      'field name with CR LF',
      'field name with NUL',
      'field name with 8 bits',
      'field name empty',
      'field value with CR LF',
      'field value with LF',
      'field value with CR',
      'field value with NUL',
      'field value with a control',
      'field value with DEL',
      'trailers with CR LF',
      'trailers with a bad name',
    ],
};

async function outcomeOf(lane: Lane, { frames }: HostileH2): Promise<Outcome> {
  const client = await H2Client.open(lane.port);
  client.send(frames);
  await client.until(() => outcome(client) !== 'nothing', 700);
  await client.quiet(120);
  const seen = outcome(client);
  client.close();
  const answer = /^\d+$/.test(seen) ? seen : 'refused';
  const requests = lane.upstream.take().map((text) => text.replace(/\r\n.*?\r\n\r\n/s, ' … '));
  return {
    answer,
    requests: answer === 'refused' ? requests.filter((text) => text.includes('smuggled')) : requests,
  };
}

test('hostile HTTP/2 requests', { skip: reasonToSkipWithoutEnvoy() }, async () => {
  const outcomes = await compare(corpus, {}, outcomeOf);
  assert.equal(outcomes.length, corpus.length);
  assert.deepEqual(unexplained(outcomes, differences), []);
});
