import assert from 'node:assert/strict';
import dgram from 'node:dgram';
import dns from 'node:dns/promises';
import { once } from 'node:events';
import { after, before, describe, test } from 'node:test';
import { create, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { DnsFilterConfigSchema } from '@meltemi/envoy-api/envoy/extensions/filters/udp/dns_filter/v3/dns_filter';
import { encodeReply, parseQuery } from '../../codec/dns-message.ts';
import { type DnsPlan, planDnsFilter } from '../../plan/dns/dns-plan.ts';
import { DnsServer } from './dns-server.ts';

const domain = (name: string, ...address: string[]): JsonValue => ({
  name,
  endpoint: { address_list: { address } },
  answer_ttl: '30s',
});

function plan(config: object): DnsPlan {
  const problems: string[] = [];
  const source = fromJson(DnsFilterConfigSchema, { stat_prefix: 'dns', ...config } as JsonValue);
  const compiled = planDnsFilter(toBinary(DnsFilterConfigSchema, source), problems);
  assert.deepEqual(problems, []);
  return compiled;
}

const table = (...domains: JsonValue[]): object => ({
  server_config: { inline_dns_table: { virtual_domains: domains } },
});

async function udp(
  onMessage: (bytes: Buffer, reply: (answer: Buffer) => void) => void,
): Promise<dgram.Socket> {
  const socket = dgram.createSocket('udp4');
  socket.on('message', (bytes, from) =>
    onMessage(bytes, (answer) => socket.send(answer, from.port, from.address)),
  );
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  return socket;
}

async function portOf(server: DnsServer): Promise<number> {
  while (!server.port) await new Promise(setImmediate);
  return server.port;
}

describe('the name server', () => {
  const names = table(
    domain('reviews.default.svc.cluster.local', '10.96.0.1', '10.96.0.2', 'fd00::1'),
    domain('Reviews', '10.96.0.1'),
    domain('*.wild.example', '10.96.0.9'),
    domain('only.wild.example', '10.96.0.8'),
  );
  const forwarded: string[] = [];
  let upstream: dgram.Socket;
  let server: DnsServer;
  let resolver: dns.Resolver;
  let port: number;

  before(async () => {
    upstream = await udp((bytes, reply) => {
      const parsed = parseQuery(bytes);
      assert.equal(parsed.kind, 'query');
      if (parsed.kind !== 'query') return;
      forwarded.push(parsed.query.name);
      if (parsed.query.name.startsWith('silent')) return;
      const addresses = parsed.query.name.startsWith('none') ? [] : ['192.0.2.7'];
      reply(encodeReply(parsed.query, { code: addresses.length > 0 ? 0 : 3, addresses, ttlSeconds: 5 }));
    });
    const at = {
      socket_address: { protocol: 'UDP', address: '127.0.0.1', port_value: upstream.address().port },
    };
    const client = {
      client_config: { resolver_timeout: '0.1s', max_pending_lookups: '2', upstream_resolvers: [at] },
    };
    server = new DnsServer({
      address: { ip: '127.0.0.1', port: 0 },
      plan: plan({ ...names, ...client }),
      failed: assert.fail,
    });
    port = await portOf(server);
    resolver = new dns.Resolver({ timeout: 3000, tries: 1 });
    resolver.setServers([`127.0.0.1:${port}`]);
  });
  after(() => {
    server.close();
    upstream.close();
  });

  const code = (promise: Promise<unknown>): Promise<string> =>
    promise.then(
      () => 'found',
      (error: { code: string }) => error.code,
    );

  test('names of the table, whatever their case', async () => {
    assert.deepEqual(await resolver.resolve4('reviews.default.svc.cluster.local', { ttl: true }), [
      { address: '10.96.0.1', ttl: 30 },
      { address: '10.96.0.2', ttl: 30 },
    ]);
    assert.deepEqual(await resolver.resolve6('Reviews.Default.svc.cluster.local'), ['fd00::1']);
    assert.deepEqual(await resolver.resolve4('REVIEWS'), ['10.96.0.1']);
    assert.deepEqual(forwarded, []);
  });

  test('a name without an address of the kind exists all the same', async () => {
    assert.equal(await code(resolver.resolve6('reviews')), 'ENODATA');
    assert.equal(await code(resolver.resolveTxt('reviews')), 'ENODATA');
    assert.deepEqual(forwarded, []);
  });

  test('wildcards stand for all below, and what is named itself goes before', async () => {
    assert.deepEqual(await resolver.resolve4('a.b.wild.example'), ['10.96.0.9']);
    assert.deepEqual(await resolver.resolve4('only.wild.example'), ['10.96.0.8']);
    assert.deepEqual(await resolver.resolve4('wild.example'), ['192.0.2.7']);
  });

  test('other names are asked for elsewhere', async () => {
    assert.deepEqual(await resolver.resolve4('www.example.org'), ['192.0.2.7']);
    assert.equal(await code(resolver.resolve4('none.example.org')), 'ENOTFOUND');
    assert.deepEqual(forwarded.slice(-2), ['www.example.org', 'none.example.org']);
  });

  test('who does not answer, and too many questions', async () => {
    const started = performance.now();
    const codes = await Promise.all(
      [1, 2, 3, 4].map((n) => code(resolver.resolve4(`silent${n}.example.org`))),
    );
    assert.deepEqual(codes, ['ESERVFAIL', 'ESERVFAIL', 'ESERVFAIL', 'ESERVFAIL']);
    assert.ok(performance.now() - started < 2500);
    assert.deepEqual(await resolver.resolve4('www.example.org'), ['192.0.2.7']);
  });

  test('bytes that are no query', async () => {
    const client = await udp(() => undefined);
    const answers: Buffer[] = [];
    client.on('message', (bytes) => answers.push(bytes));
    const header = (flags: number, questions: number): Buffer =>
      Buffer.from([0x12, 0x34, flags >> 8, flags & 255, 0, questions, 0, 0, 0, 0, 0, 0]);
    const junk = [Buffer.alloc(0), Buffer.alloc(11), header(0x8180, 0), header(0x8000, 1)];
    const malformed = [
      header(0x0100, 0),
      header(0x0100, 1),
      Buffer.concat([header(0x0100, 1), Buffer.from([63, 65])]),
      Buffer.concat([header(0x0100, 1), Buffer.from([0xc0, 0x0c, 0, 1, 0, 1])]),
    ];
    for (const bytes of [...junk, ...malformed]) client.send(bytes, port, '127.0.0.1');
    while (answers.length < malformed.length) await once(client, 'message');
    for (const answer of answers) assert.equal(answer.toString('hex').slice(0, 8), '12348081');
    client.close();
    assert.deepEqual(await resolver.resolve4('reviews'), ['10.96.0.1']);
  });

  test('a new table takes the place of the old one', async () => {
    server.update(plan(table(domain('ratings', '10.96.0.3'))));
    assert.deepEqual(await resolver.resolve4('ratings'), ['10.96.0.3']);
    assert.equal(await code(resolver.resolve4('reviews')), 'ENOTFOUND');
  });
});

test('what does not fit into a datagram is cut, and marked so', () => {
  const query = Buffer.concat([
    Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]),
    Buffer.from([1, 97, 0, 0, 1, 0, 1]),
  ]);
  const parsed = parseQuery(query);
  assert.ok(parsed.kind === 'query');
  const addresses = Array.from({ length: 100 }, (_, i) => `10.0.0.${i}`);
  const answer = encodeReply(parsed.query, { code: 0, addresses, ttlSeconds: 1 });
  assert.ok(answer.length <= 512 && answer.length > 490);
  assert.equal(answer.readUInt16BE(2) & 0x0200, 0x0200);
});

test('a circle ends', async () => {
  const own = create(DnsFilterConfigSchema, { clientConfig: {} });
  const server = new DnsServer({
    address: { ip: '127.0.0.1', port: 0 },
    plan: planDnsFilter(toBinary(DnsFilterConfigSchema, own), []),
    failed: assert.fail,
  });
  const port = await portOf(server);
  server.update({
    names: new Map(),
    forward: { resolvers: [{ ip: '127.0.0.1', port }], timeoutMs: 60_000, tries: 1, maxPending: 10 },
  });
  const resolver = new dns.Resolver({ timeout: 3000, tries: 1 });
  resolver.setServers([`127.0.0.1:${port}`]);
  await assert.rejects(resolver.resolve4('x.example'), { code: 'ESERVFAIL' });
  server.close();
});
