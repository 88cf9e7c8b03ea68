// Upgrades: the bytes of the new protocol pass untouched and only once both sides have agreed; the connection
// serves nothing else afterwards.
import { strict as assert } from 'node:assert';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { describe, test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { H2Client, outcome } from './h2-client.ts';
import { block, endHeaders, frame, frameType } from './h2-frames.ts';
import { type Kind, kinds } from './proxy-process.ts';
import { type Handler, okResponse } from './raw-upstream.ts';
import { type Lane, LanedProxy } from './side-by-side.ts';

const switching = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const upgrade = 'GET /ws HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n';
const chunkedAnswer = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n';

/** Answers requests with a chunked body; echoes after an upgrade, with a greeting first. */
function echo(): Handler {
  return ({ socket }) => {
    let text = '';
    let tunnel = false;
    socket.on('data', (chunk: Buffer) => {
      if (tunnel) {
        socket.write(`[${chunk.toString('latin1')}]`);
        return;
      }
      text += chunk.toString('latin1');
      if (!text.endsWith(/^transfer-encoding: chunked/im.test(text) ? '\r\n0\r\n\r\n' : '\r\n\r\n')) return;
      tunnel = /^upgrade:/im.test(text);
      text = '';
      socket.write(tunnel ? switching : chunkedAnswer);
      if (tunnel) setTimeout(() => socket.write('greeting'), 20);
    });
    socket.on('end', () => socket.end());
  };
}

class Conversation {
  readonly #socket: Socket;
  #text = '';

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.#text += chunk.toString('latin1');
    });
  }

  static async open(port: number): Promise<Conversation> {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true });
    await once(socket, 'connect');
    return new Conversation(socket);
  }

  say(text: string): void {
    this.#socket.write(text, 'latin1');
  }

  /** Waits for that text, and returns everything since the last call up to its end. */
  async hear(text: string): Promise<string> {
    while (!this.#text.includes(text))
      await once(this.#socket, 'data', { signal: AbortSignal.timeout(4000) });
    const end = this.#text.indexOf(text) + text.length;
    const heard = this.#text.slice(0, end);
    this.#text = this.#text.slice(end);
    return heard;
  }

  close(): void {
    this.#socket.destroy();
  }
}

async function withLane(
  kind: Kind,
  handler: () => Handler,
  body: (lane: Lane) => Promise<void>,
  manager = {},
): Promise<void> {
  const laned = await LanedProxy.start(kind, { handler, listener: { manager } });
  try {
    const [lane] = laned.lanes;
    assert.ok(lane);
    await body(lane);
  } finally {
    await laned.stop();
  }
}

const before: Readonly<Record<string, readonly string[]>> = {
  'a chunked request': [
    'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n',
  ],
  'a chunked request in pieces': [
    'POST /a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n',
    '3\r\nabc\r\n',
    '0\r\n\r\n',
  ],
  'a chunked response': ['GET /a HTTP/1.1\r\nHost: a\r\n\r\n'],
  nothing: [],
};

for (const kind of kinds)
  describe(`bytes of a tunnel through ${kind}`, {
    skip: kind === 'envoy' && reasonToSkipWithoutEnvoy(),
  }, () => {
    for (const [name, pieces] of Object.entries(before))
      test(`after ${name}`, () =>
        withLane(kind, echo, async (lane) => {
          const client = await Conversation.open(lane.port);
          for (const piece of pieces) {
            client.say(piece);
            await new Promise((resolve) => setTimeout(resolve, 30));
          }
          if (pieces.length > 0) await client.hear('0\r\n\r\n');
          client.say(upgrade);
          await client.hear('\r\n\r\n');
          assert.equal(await client.hear('greeting'), 'greeting');
          client.say('one');
          assert.equal(await client.hear(']'), '[one]');
          client.say('x'.repeat(40_000));
          assert.equal((await client.hear('x]')).replace(/[[\]]/g, ''), 'x'.repeat(40_000));
          client.close();
        }));

    test('wait for the upstream to agree', () =>
      withLane(
        kind,
        () => () => undefined,
        async (lane) => {
          const client = await Conversation.open(lane.port);
          client.say(`${upgrade}GET /admin HTTP/1.1\r\nHost: smuggled\r\n\r\n`);
          await new Promise((resolve) => setTimeout(resolve, 300));
          const [text = ''] = lane.upstream.take();
          assert.equal(text.match(/HTTP\/1\.1/g)?.length, 1, text);
          for (const { socket } of lane.upstream.connections) socket.write(switching);
          await client.hear('\r\n\r\n');
          await new Promise((resolve) => setTimeout(resolve, 100));
          assert.equal(lane.upstream.take().join(''), 'GET /admin HTTP/1.1\r\nHost: smuggled\r\n\r\n');
          client.close();
        },
      ));
  });

test('a refused upgrade leaves no connection behind that is used again', () =>
  withLane(
    'embedded',
    () =>
      ({ socket }) =>
        void socket.on('data', () => socket.write(okResponse)),
    async (lane) => {
      const client = await Conversation.open(lane.port);
      client.say(upgrade);
      await client.hear('ok');
      const other = await Conversation.open(lane.port);
      other.say('GET /other HTTP/1.1\r\nHost: a\r\n\r\n');
      await other.hear('ok');
      assert.equal(lane.upstream.take().length, 2);
      client.close();
      other.close();
    },
  ));

const extended = block([
  [':method', 'CONNECT'],
  [':protocol', 'websocket'],
  [':path', '/ws'],
  [':scheme', 'http'],
  [':authority', 'a'],
]);

describe('extended CONNECT', { skip: reasonToSkipWithoutEnvoy() }, () => {
  for (const kind of kinds) {
    test(`refused by ${kind} unless allowed`, () =>
      withLane(kind, echo, async (lane) => {
        const client = await H2Client.open(lane.port);
        client.send(
          frame(frameType.headers, endHeaders, 1, extended),
          frame(frameType.data, 0, 1, 'GET /admin HTTP/1.1\r\n\r\n'),
        );
        await client.until(() => outcome(client) !== 'nothing', 2500);
        assert.notEqual(outcome(client), '200');
        assert.deepEqual(lane.upstream.take(), []);
        client.close();
      }));

    test(`carries bytes through ${kind} when allowed`, () =>
      withLane(
        kind,
        echo,
        async (lane) => {
          const client = await H2Client.open(lane.port);
          client.send(
            frame(frameType.headers, endHeaders, 1, extended),
            frame(frameType.data, 0, 1, 'early'),
          );
          const received = (): string =>
            client.frames
              .filter(({ type }) => type === frameType.data)
              .map(({ payload }) => payload.toString())
              .join('');
          assert.ok(await client.until(() => received().includes('[early]'), 4000), received());
          assert.equal(outcome(client), '200');
          client.send(frame(frameType.data, 0, 1, 'late'));
          assert.ok(await client.until(() => received().includes('[late]'), 4000), received());
          client.close();
        },
        { http2_protocol_options: { allow_connect: true } },
      ));
  }
});
