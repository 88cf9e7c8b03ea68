// Hostile HTTP/1.1 requests beside Envoy: the same answers, and the same requests at the upstream; what
// differs is listed with its reason.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { unexplained } from './explained.ts';
import { send, statuses } from './raw-client.ts';
import { compare, type Lane } from './side-by-side.ts';
import { corpus, type Hostile } from './smuggling-corpus.ts';

interface Outcome {
  readonly statuses: readonly number[];
  /** Request lines that the upstream got. */
  readonly requests: readonly string[];
}

/** All of them: refused here, taken by Envoy. */
const differences: Readonly<Record<string, readonly string[]>> = {
  'line ends other than CR LF, and folded fields, are read differently by different servers (RFC 9112 section 2.2)':
    [
      'coding folded',
      'coding empty and folded',
      'lines bare LF',
      'lines one bare LF',
      'lines bare LF at the end',
      'lines bare CR in a value',
      'lines bare CR before a coding',
      'lines folded',
      'lines leading LF',
    ],
  'a request line has exactly two spaces (RFC 9112 section 3)': [
    'target two spaces',
    'target tabs',
    'target trailing space',
  ],
  'a length that no number here holds exactly is refused': ['length past 53 bits'],
  'a coding that is empty is none that is known': ['coding with an empty one'],
  'a chunk has one spelling (RFC 9112 section 7.1); Envoy reads on from another place than a strict server would':
    [
      'chunk size of 64 bits',
      'chunk size with 16 zeros',
      'chunk extension with NUL',
      'chunk extension of 20 KB',
      'chunk data too long',
      'chunk data, bare LF',
      'chunk last, CR LF and LF',
      'chunk trailer, bare LF',
      'chunk trailer folded',
    ],
  'the bytes after an upgrade are those of the new protocol: there is no room for a body': [
    'upgrade counted body',
    'upgrade chunked body',
    'upgrade chunked body on a GET',
  ],
};

async function outcomeOf(lane: Lane, { bytes }: Hostile): Promise<Outcome> {
  const answer = await send(lane.port, bytes);
  const codes = statuses(answer.text);
  const requests = lane.upstream
    .take()
    .flatMap((text) => [...text.matchAll(/^[A-Z]+ [^\r\n]* HTTP\/1\.1/gm)].map(([line]) => line));
  // How far a request got that is refused in the middle depends on timing.
  const refused =
    codes.length === 1 && codes[0] === 400 && requests[0] === bytes.slice(0, bytes.indexOf('\r'));
  return { statuses: codes, requests: (refused ? requests.slice(1) : requests).sort() };
}

test('hostile HTTP/1.1 requests', { skip: reasonToSkipWithoutEnvoy() }, async () => {
  const outcomes = await compare(corpus, {}, outcomeOf);
  assert.equal(outcomes.length, corpus.length);
  assert.deepEqual(unexplained(outcomes, differences), []);
});
