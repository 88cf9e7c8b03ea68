// Clients of the control plane that send what none should: each is turned away or served, nobody else waits,
// and nothing is kept of it.
import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import net from 'node:net';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { entry, PilotProcess } from './pilot-process.ts';
import { AbusiveClient, clusters, encode, endpoints, nodeOf, routes } from './xds-abuse.ts';

/** Milliseconds within which another client must be answered, on two busy cores. */
const patienceMs = 5000;
const mostMegabytes = 200;

/** A field of length-delimited bytes. */
function field(tag: number, body: Buffer): Buffer {
  const length: number[] = [];
  let rest = body.length;
  while (rest > 127) {
    length.push((rest & 127) | 128);
    rest >>>= 7;
  }
  length.push(rest);
  return Buffer.concat([Buffer.from([tag, ...length]), body]);
}

/** A node whose metadata holds a list in a list in a list. */
function deepNode(depth: number): Buffer {
  let value: Buffer = Buffer.alloc(0);
  for (let i = 0; i < depth; i++) value = field(0x32, field(0x0a, value));
  const metadata = field(0x0a, Buffer.concat([field(0x0a, Buffer.from('a')), field(0x12, value)]));
  const node = Buffer.concat([
    field(0x0a, Buffer.from('sidecar~10.9.9.9~a.default~default.svc.cluster.local')),
    field(0x1a, metadata),
  ]);
  return Buffer.concat([field(0x12, node), field(0x22, Buffer.from(clusters))]);
}

describe('hostile streams', () => {
  let pilot: PilotProcess;
  let client: AbusiveClient;
  let atStart = 0;

  before(async () => {
    pilot = await PilotProcess.start((folder) => {
      mkdirSync(folder);
      for (let i = 0; i < 100; i++) writeFileSync(join(folder, `n${i}.yaml`), entry(`n${i}`));
    });
    await answers();
    atStart = pilot.facts.memory;
  });
  after(() => pilot.stop());

  /** Another client is answered. */
  async function answers(): Promise<void> {
    const other = new AbusiveClient(pilot.address);
    const stream = other.open().send({ node: nodeOf('probe'), typeUrl: clusters });
    const outcome = await Promise.race([
      stream.answered.then(() => 'answered'),
      pause(patienceMs).then(() => 'too late'),
    ]);
    other.close();
    assert.equal(outcome, 'answered');
  }

  function row(name: string, abuse: () => Promise<void>): void {
    test(name, async () => {
      client = new AbusiveClient(pilot.address);
      try {
        await abuse();
        await answers();
      } finally {
        client.close();
      }
      assert.ok(pilot.alive);
    });
  }

  const turnedAway: readonly {
    readonly name: string;
    readonly bytes: () => Buffer;
    readonly code: number;
  }[] = [
    { name: 'bytes that are no message', bytes: () => Buffer.from('ffffffffffffffff', 'hex'), code: 3 },
    { name: 'an empty message', bytes: () => Buffer.alloc(0), code: 9 },
    { name: 'no node', bytes: () => encode({ typeUrl: clusters }), code: 9 },
    {
      name: 'an id of another form',
      bytes: () => encode({ node: { id: 'evil' }, typeUrl: clusters }),
      code: 9,
    },
    {
      name: 'metadata of 12 MB',
      bytes: () => encode({ node: nodeOf('a', { x: 'y'.repeat(12_000_000) }), typeUrl: clusters }),
      code: 8,
    },
    { name: 'a message of 65 MB', bytes: () => Buffer.alloc(65_000_000, 0x1a), code: 8 },
    { name: 'metadata that is 5,000 lists deep', bytes: () => deepNode(5000), code: 3 },
    {
      name: '200,000 names',
      bytes: () =>
        encode({
          node: nodeOf('n'),
          typeUrl: endpoints,
          resourceNames: Array.from({ length: 200_000 }, (_, i) => `n${i}`),
        }),
      code: 8,
    },
  ];
  for (const { name, bytes, code } of turnedAway)
    row(`${name}: the stream ends`, async () => {
      assert.equal(await client.open().bytes(bytes()).ended, code);
    });

  row('types that nobody knows', async () => {
    const stream = client
      .open()
      .send({ node: nodeOf('t'), typeUrl: 'type.googleapis.com/evil' })
      .send({ typeUrl: '' })
      .send({ typeUrl: clusters });
    await stream.answered;
    assert.equal(stream.responses, 1);
  });

  row('20 streams with metadata of 900 KB each', async () => {
    const metadata = { LABELS: { app: 'y'.repeat(900_000) } };
    const streams = Array.from({ length: 20 }, (_, i) =>
      client.open().send({ node: nodeOf(`m${i}`, metadata), typeUrl: clusters }),
    );
    await Promise.all(streams.map((stream) => stream.answered));
  });

  const manyStreams = async (): Promise<void> => {
    const streams = Array.from({ length: 1000 }, (_, i) =>
      client.open().send({ node: nodeOf(`p${i}`, { LABELS: { app: `a${i}` } }), typeUrl: clusters }),
    );
    await Promise.all(streams.map((stream) => stream.answered));
  };
  row('1,000 streams that are left', manyStreams);

  row('300 connections that break off', async () => {
    const port = Number(pilot.address.split(':').at(-1));
    const sockets = Array.from({ length: 300 }, () => net.connect(port, '127.0.0.1'));
    for (const socket of sockets) {
      socket.on('error', () => {});
      socket.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0');
    }
    await pause(300);
    for (const socket of sockets) socket.resetAndDestroy();
  });

  const manyNames = async (): Promise<void> => {
    const stream = client.open();
    for (let k = 0; k < 20; k++)
      stream.send({
        ...(k === 0 ? { node: nodeOf('n') } : {}),
        typeUrl: endpoints,
        resourceNames: Array.from({ length: 10_000 }, (_, i) => `outbound|80||n${k}-${i}.example.com`),
      });
    stream.send({ typeUrl: clusters });
    await stream.answered;
  };
  row('20 times 10,000 other names', manyNames);

  row('10,000 invented route tables', async () => {
    const stream = client.open().send({
      node: nodeOf('r'),
      typeUrl: routes,
      resourceNames: Array.from({ length: 10_000 }, (_, i) => `${10_000 + i}`),
    });
    stream.send({ typeUrl: clusters });
    await stream.answered;
  });

  row('a client that refuses everything is not sent it again and again', async () => {
    let responses = 0;
    const stream = client.open(({ nonce }, self) => {
      responses++;
      self.send({ typeUrl: clusters, responseNonce: nonce, errorDetail: { code: 13, message: 'no' } });
    });
    stream.send({ node: nodeOf('nack'), typeUrl: clusters });
    await stream.answered;
    await pause(500);
    assert.ok(responses <= 2, `${responses} responses`);
  });

  row('20,000 answers to what was never sent', async () => {
    const stream = client.open().send({ node: nodeOf('x'), typeUrl: clusters });
    for (let i = 0; i < 20_000; i++) stream.send({ typeUrl: clusters, responseNonce: `stale${i}` });
    await stream.answered;
    await answers();
    assert.equal(stream.responses, 1);
  });

  row('20,000 changes of mind', async () => {
    const stream = client.open().send({ node: nodeOf('x'), typeUrl: endpoints, resourceNames: ['a'] });
    for (let i = 0; i < 20_000; i++)
      stream.send({ typeUrl: endpoints, resourceNames: [i % 2 === 0 ? 'b' : 'a'] });
    stream.send({ typeUrl: clusters });
    await stream.answered;
  });

  row('an endless refusal, and ids with lines in them, are escaped and cut in the log', async () => {
    const message = `\u001b[31mFAKE LOG LINE\nproxy x connected\n${'z'.repeat(3_000_000)}`;
    const stream = client.open(
      ({ nonce }, self) =>
        void self.send({ typeUrl: clusters, responseNonce: nonce, errorDetail: { code: 13, message } }),
    );
    stream.send({
      node: { id: 'sidecar~1.1.1.1~a\n\u001b[31mproxy evil connected\n.default~default.svc', metadata: {} },
      typeUrl: clusters,
    });
    await pilot.until('tell of the refusal', () => pilot.log.includes('FAKE LOG LINE'));
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that there is none is the point
    assert.doesNotMatch(pilot.log, /\u001b/);
    assert.doesNotMatch(pilot.log, /^proxy (x|evil) connected/m);
    assert.ok(Math.max(...pilot.log.split('\n').map((line) => line.length)) < 5000);
  });

  test('nothing is kept of all that: the same once more takes no more', async () => {
    await pause(1500);
    const { memory } = pilot.facts;
    client = new AbusiveClient(pilot.address);
    await manyNames();
    await manyStreams();
    client.close();
    await pause(1500);
    const grown = pilot.facts.memory - memory;
    assert.ok(
      grown < mostMegabytes,
      `${grown} MB more than after the first time (${memory} MB, ${atStart} MB at the start)`,
    );
    assert.ok(pilot.facts.descriptors < 60, `${pilot.facts.descriptors} descriptors`);
  });
});
