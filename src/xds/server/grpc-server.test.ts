// The gRPC side of the server, with gRPC's own client and with bytes cut where a network cuts them.
import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Http2Session, type ServerHttp2Stream } from 'node:http2';
import { type TestContext, test } from 'node:test';
import { create, fromBinary, type JsonObject, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { AnySchema } from '@bufbuild/protobuf/wkt';
import { Client, credentials, type ServiceError, status } from '@grpc/grpc-js';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import {
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { MemoEngine } from '../../base/index.ts';
import { isKept } from '../h2-session-guard.ts';
import { typeUrlOf } from '../resource-types.ts';
import type { ConnectionEvents, OpenConnection } from './discovery-streams.ts';
import { Feed, FeedHub, type ServedResource } from './feed.ts';
import { type GrpcServer, startGrpcServer } from './grpc-server.ts';
import type { GrpcService } from './grpc-service.ts';
import { discoveryServices } from './services/index.ts';
import type { Session } from './session.ts';

const service = '/envoy.service.discovery.v3.AggregatedDiscoveryService';
const asBytes = (message: Buffer): Buffer => message;
const request = Buffer.from(
  toBinary(
    DiscoveryRequestSchema,
    create(DiscoveryRequestSchema, { typeUrl: typeUrlOf('cluster'), node: { id: 'known' } }),
  ),
);

interface Running {
  readonly server: GrpcServer;
  /** Clients that left. */
  readonly closed: string[];
  /** Changes the one cluster there is, and tells the clients. */
  set(version: string, bytes: number): void;
}

function serve(open: OpenConnection): Promise<GrpcServer> {
  return startGrpcServer({
    address: '127.0.0.1:0',
    services: discoveryServices(open),
    failed: (error) => assert.fail(String(error)),
  });
}

async function running(t: TestContext): Promise<Running> {
  const engine = new MemoEngine();
  const cluster = engine.input<ServedResource | undefined>({
    name: 'a',
    version: '1',
    any: new Uint8Array(),
  });
  const hub = new FeedHub();
  const sessions: Session[] = [];
  const feed = new Feed(hub, {
    type: 'cluster',
    names: engine.derive<readonly string[]>('n', () => ['a']),
    resource: () => engine.derive<ServedResource | undefined>('r', () => cluster.get()),
  });
  const closed: string[] = [];
  const open = (): ConnectionEvents => ({
    identify: (node, { session }) => {
      sessions.push(session);
      return node.id === 'known' ? { feed: () => feed } : undefined;
    },
    acknowledged: () => undefined,
    refused: () => undefined,
    failed: (error) => assert.fail(String(error)),
    closed: (connection) => void closed.push(connection.peer),
  });
  const server = await serve(open);
  t.after(() => server.close());
  const set = (version: string, bytes: number): void => {
    const value = toBinary(
      ClusterSchema,
      create(ClusterSchema, { name: 'a', altStatName: 'x'.repeat(bytes) }),
    );
    cluster.set({
      name: 'a',
      version,
      any: toBinary(AnySchema, create(AnySchema, { typeUrl: version, value })),
    });
    hub.process(engine.takeTouched());
    for (const session of sessions) session.flush();
  };
  return { server, closed, set };
}

/** The status that a call ends with after one message. */
async function statusOf(
  t: TestContext,
  address: string,
  method: string,
  message: Buffer,
): Promise<{ code: number; details: string }> {
  const client = new Client(address, credentials.createInsecure());
  t.after(() => client.close());
  const call = client.makeBidiStreamRequest(`${service}/${method}`, asBytes, asBytes);
  call.on('data', () => undefined);
  call.write(message);
  const [error] = (await once(call, 'error')) as [ServiceError];
  return { code: error.code, details: error.details };
}

test('a client that is not known is turned away with the reason', async (t) => {
  const { server, closed } = await running(t);
  const unknown = Buffer.from(
    toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, { typeUrl: typeUrlOf('cluster') })),
  );
  const { code, details } = await statusOf(t, server.address, 'StreamAggregatedResources', unknown);
  assert.equal(code, 9);
  assert.match(details, /node whose id is TYPE~IP/);
  assert.equal(closed.length, 1);
});

test('bytes that are no request end the stream and nothing else', async (t) => {
  const { server } = await running(t);
  for (const method of ['StreamAggregatedResources', 'DeltaAggregatedResources'])
    assert.equal((await statusOf(t, server.address, method, Buffer.from([255, 255, 255]))).code, 3);
});

const nodeOf = (id: string, metadata: JsonObject = {}): MessageInitShape<typeof DiscoveryRequestSchema> => ({
  node: { id, metadata },
});
const tooMuch: readonly {
  readonly name: string;
  readonly message: MessageInitShape<typeof DiscoveryRequestSchema>;
  readonly code: number;
}[] = [
  { name: 'an endless node id', message: nodeOf('known'.repeat(1000)), code: 9 },
  { name: 'metadata of two megabytes', message: nodeOf('known', { x: 'y'.repeat(2_000_000) }), code: 8 },
  {
    name: 'more names than any mesh has',
    message: { ...nodeOf('known'), resourceNames: Array.from({ length: 10_001 }, (_, i) => `n${i}`) },
    code: 8,
  },
  { name: 'a message of 20 megabytes', message: nodeOf('known', { x: 'y'.repeat(20_000_000) }), code: 8 },
];
for (const { name, message, code } of tooMuch)
  test(`${name} ends the stream with a reason and costs nobody else`, async (t) => {
    const { server } = await running(t);
    const bytes = toBinary(
      DiscoveryRequestSchema,
      create(DiscoveryRequestSchema, { typeUrl: typeUrlOf('cluster'), ...message }),
    );
    assert.equal(
      (await statusOf(t, server.address, 'StreamAggregatedResources', Buffer.from(bytes))).code,
      code,
    );
  });

test('a mistake of ours is told to us, and to the client as ours', async (t) => {
  const failures: unknown[] = [];
  const server = await serve(() => ({
    identify: () => {
      throw new Error("a defect with a name that is nobody else's business");
    },
    acknowledged: () => undefined,
    refused: () => undefined,
    closed: () => undefined,
    failed: (error) => void failures.push(error),
  }));
  t.after(() => server.close());
  const { code, details } = await statusOf(t, server.address, 'StreamAggregatedResources', request);
  assert.deepEqual([code, failures.length], [13, 1]);
  assert.doesNotMatch(details, /defect|node/);
});

const echo: GrpcService = {
  name: 'test.Echo',
  methods: {
    Once: {
      kind: 'unary',
      answer: async (request) => {
        switch (request[0]) {
          case 1:
            return { kind: 'message', bytes: request };
          case 2:
            return { kind: 'status', code: status.PERMISSION_DENIED, reason: 'not for you' };
          default:
            throw new Error('a defect');
        }
      },
    },
    Always: {
      kind: 'stream',
      open: () => {
        throw new Error('a defect');
      },
    },
  },
};

test('a service is one entry of the list: answers, statuses, and mistakes that are ours', async (t) => {
  const failures: string[] = [];
  const server = await startGrpcServer({
    address: '127.0.0.1:0',
    services: [echo],
    failed: (error) => void failures.push(String(error)),
  });
  t.after(() => server.close());
  const client = new Client(server.address, credentials.createInsecure());
  t.after(() => client.close());
  const ask = (byte: number): Promise<string> =>
    new Promise((resolve) => {
      client.makeUnaryRequest('/test.Echo/Once', asBytes, asBytes, Buffer.from([byte]), (error, answer) =>
        resolve(error ? `${error.code} ${error.details}` : `${answer?.[0]}`),
      );
    });
  assert.deepEqual([await ask(1), await ask(2)], ['1', '7 not for you']);
  assert.match(await ask(3), /^13 (?!.*defect)/);
  const call = client.makeBidiStreamRequest('/test.Echo/Always', asBytes, asBytes);
  const [error] = (await once(call, 'error')) as [ServiceError];
  assert.equal(error.code, 13);
  assert.doesNotMatch(error.details, /defect/);
  assert.deepEqual(failures, ['Error: a defect', 'Error: a defect']);
});

test('a method that is not served is unimplemented', async (t) => {
  const { server } = await running(t);
  assert.equal((await statusOf(t, server.address, 'StreamNothing', request)).code, 12);
});

test('a request that arrives in pieces, and two that arrive at once', async (t) => {
  const { server } = await running(t);
  const session = connect(`http://${server.address}`);
  t.after(() => session.destroy());
  const stream = session.request({
    ':method': 'POST',
    ':path': `${service}/StreamAggregatedResources`,
    'content-type': 'application/grpc',
    te: 'trailers',
  });
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, request.length]), request]);
  for (const byte of frame) {
    stream.write(Buffer.from([byte]));
    await new Promise(setImmediate);
  }
  const [answer] = (await once(stream, 'data')) as [Buffer];
  assert.equal(answer.readUInt32BE(1), answer.length - 5);
  assert.equal(fromBinary(DiscoveryResponseSchema, answer.subarray(5)).resources.length, 1);
  // Each asks for everything once more.
  stream.write(Buffer.concat([frame, frame]));
  let size = 0;
  while (size < answer.length * 2) size += ((await once(stream, 'data')) as [Buffer])[0].length;
  assert.equal(size, answer.length * 2);
});

test('a client that does not read is sent the latest when it does, not everything between', async (t) => {
  const { server, set } = await running(t);
  const client = new Client(server.address, credentials.createInsecure(), {
    'grpc.max_receive_message_length': -1,
  });
  t.after(() => client.close());
  const call = client.makeBidiStreamRequest(`${service}/StreamAggregatedResources`, asBytes, asBytes);
  call.on('error', () => undefined);
  t.after(() => call.cancel());
  call.write(request);
  await once(call, 'data');
  call.pause();
  for (let i = 0; i < 100; i++) {
    set(`v${i}`, 1024 * 1024);
    await new Promise(setImmediate);
  }
  const versions: (string | undefined)[] = [];
  for await (const message of call) {
    versions.push(fromBinary(DiscoveryResponseSchema, message as Buffer).resources[0]?.typeUrl);
    if (versions.at(-1) === 'v99') break;
  }
  assert.ok(versions.length < 50, `${versions.length} responses`);
});

test('the native half of a session stays a while when its client leaves with requests under way', async (t) => {
  const { server } = await running(t);
  const sessions: (Http2Session | undefined)[] = [];
  const { promise: underWay, resolve } = Promise.withResolvers<void>();
  const seen = (message: unknown): void => {
    if (sessions.push((message as { readonly stream: ServerHttp2Stream }).stream.session) === 20) resolve();
  };
  diagnostics.subscribe('http2.server.stream.created', seen);
  t.after(() => diagnostics.unsubscribe('http2.server.stream.created', seen));
  const client = connect(`http://${server.address}`);
  const headers = {
    ':method': 'POST',
    ':path': `${service}/StreamAggregatedResources`,
    'content-type': 'application/grpc',
    te: 'trailers',
  };
  for (let i = 0; i < 20; i++) client.request(headers).on('error', () => undefined);
  await underWay;
  const [session] = sessions;
  assert.ok(session && sessions.every((one) => one === session));
  const ends = once(session, 'close');
  client.destroy();
  await ends;
  assert.ok(isKept(session));
});
