// The TCP proxy between two connections, without sockets.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { TcpProxySchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/tcp_proxy/v3/tcp_proxy';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import { AccessLogs } from '../../observe/access-log/access-logs.ts';
import { Stats } from '../../observe/stats.ts';
import { planTcpProxy } from '../../plan/tcp/tcp-plan.ts';
import { endpointsAt, type FakeAttempt, type FakeCluster, fakeCluster } from '../../upstream/fake-cluster.ts';
import { FakeWire } from '../../upstream/http/fake-wire.ts';
import type { HttpEnvironment } from '../environment.ts';
import { runTcpProxy } from './running-tcp-proxy.ts';
import { TcpSession } from './tcp-proxy.ts';

const info: ConnectionInfo = {
  id: 1,
  remoteIp: '10.1.0.1',
  remotePort: 4000,
  localIp: '10.0.0.9',
  localPort: 80,
  redirected: false,
  hops: 0,
  tls: undefined,
  serverName: undefined,
};

interface World extends FakeCluster {
  readonly client: FakeWire;
  readonly session: TcpSession;
  readonly closed: () => number;
  readonly stat: (name: string) => number;
  attempt(index: number): FakeAttempt;
}

function start(json: object = {}, clusterJson: object = endpointsAt('10.0.0.1')): World {
  const source = fromJson(TcpProxySchema, { stat_prefix: 's', cluster: 'c', ...json } as JsonValue);
  const fake = fakeCluster(clusterJson);
  const stats = new Stats();
  const env: HttpEnvironment = {
    cluster: (name) => (name === 'c' ? fake.cluster : undefined),
    statNameOf: () => undefined,
    accessLogs: new AccessLogs(() => 0),
    random: () => 0,
    clock: fake.clock,
    date: () => '',
    nodeCluster: '',
    activeFaults: { value: 0 },
    draining: () => false,
    healthFailing: () => false,
  };
  const client = new FakeWire();
  let closed = 0;
  const plan = planTcpProxy(toBinary(TcpProxySchema, source), undefined, []);
  const session = new TcpSession(client, {
    proxy: runTcpProxy(plan, { stats, log: undefined }),
    env,
    info,
    refusal: () => undefined,
    closed: () => closed++,
  });
  session.start(undefined);
  const attempt = (index: number): FakeAttempt => {
    const found = fake.transport.attempts[index];
    assert.ok(found, `no attempt ${index}`);
    return found;
  };
  const stat = (name: string): number =>
    stats.all().find((one) => one.name === `tcp.s.downstream_${name}`)?.value ?? 0;
  return { ...fake, client, session, closed: () => closed, stat, attempt };
}

test('bytes both ways, the early ones included', () => {
  const { client, attempt, stat } = start();
  client.receive('early ');
  attempt(0).succeed();
  client.receive('late');
  attempt(0).wire.receive('answer');
  assert.deepEqual([attempt(0).wire.written, client.written, stat('cx_total')], ['early late', 'answer', 1]);
});

test('it is over when both sides have ended', () => {
  const { client, attempt, closed, cluster, count } = start();
  attempt(0).succeed();
  client.events?.onEnd();
  assert.equal(closed(), 0);
  assert.deepEqual([cluster.resources.default.connections, count('upstream_cx_active')], [1, 1]);
  attempt(0).wire.events?.onEnd();
  assert.equal(closed(), 1);
  assert.deepEqual([cluster.resources.default.connections, count('upstream_cx_active')], [0, 0]);
});

test('a host that cannot be reached is tried as often as is allowed', () => {
  const { attempt, transport, closed, count } = start({ max_connect_attempts: 2 });
  attempt(0).fail();
  assert.equal(closed(), 0);
  attempt(1).fail(true);
  assert.deepEqual([transport.attempts.length, closed()], [2, 1]);
  assert.deepEqual([count('upstream_cx_connect_fail'), count('upstream_cx_connect_timeout')], [2, 1]);
});

test('no more connections than the cluster allows', () => {
  const breakers = { circuit_breakers: { thresholds: [{ max_connections: 0 }] } };
  const { transport, closed, count } = start({}, { ...endpointsAt('10.0.0.1'), ...breakers });
  assert.deepEqual([transport.attempts.length, closed(), count('upstream_cx_overflow')], [0, 1, 1]);
});

test('nowhere to go', () => {
  const unknown = start({ cluster: 'none' });
  assert.deepEqual([unknown.closed(), unknown.stat('cx_no_route')], [1, 1]);
  const empty = start({}, {});
  assert.deepEqual([empty.closed(), empty.count('upstream_cx_none_healthy')], [1, 1]);
});

test('idle for too long', () => {
  const { attempt, clock, closed } = start({ idle_timeout: '5s' });
  attempt(0).succeed();
  clock.advance(4999);
  assert.equal(closed(), 0);
  clock.advance(1);
  assert.equal(closed(), 1);
});

test('no longer than it may last', () => {
  const { client, attempt, clock, closed } = start({ max_downstream_connection_duration: '2s' });
  attempt(0).succeed();
  clock.advance(1999);
  client.receive('x');
  assert.equal(closed(), 0);
  clock.advance(1);
  assert.equal(closed(), 1);
});

test('a session that is closed gives its attempt up, and is over once', () => {
  const { session, attempt, closed } = start();
  session.close();
  session.close();
  assert.deepEqual([attempt(0).isGivenUp, closed()], [true, 1]);
  // A connection that comes too late is closed.
  attempt(0).succeed();
  assert.equal(attempt(0).wire.destroyed, true);
});

test('either side that reads slowly holds the other back', () => {
  const { client, attempt } = start();
  attempt(0).succeed();
  const { wire } = attempt(0);
  wire.backedUp = true;
  client.receive('a');
  assert.equal(client.paused, true);
  wire.drained();
  assert.equal(client.paused, false);
  client.backedUp = true;
  wire.receive('b');
  assert.equal(wire.paused, true);
  client.drained();
  assert.equal(wire.paused, false);
});

test('a client that says too much too early waits', () => {
  const { client, attempt } = start();
  client.receive('x'.repeat(1 << 20));
  assert.equal(client.paused, false);
  client.receive('y');
  assert.equal(client.paused, true);
  attempt(0).succeed();
  assert.deepEqual([client.paused, attempt(0).wire.written.length], [false, (1 << 20) + 1]);
});

test('a client that has ended before there is a connection still sends what it said', () => {
  const { client, attempt, closed } = start();
  client.receive('all');
  client.events?.onEnd();
  attempt(0).succeed();
  assert.deepEqual([attempt(0).wire.written, attempt(0).wire.ended, closed()], ['all', true, 0]);
  attempt(0).wire.receive('answer');
  attempt(0).wire.events?.onEnd();
  assert.deepEqual([client.written, closed()], ['answer', 1]);
});

test('a host that ends first still hears the client', () => {
  const { client, attempt, closed } = start();
  attempt(0).succeed();
  attempt(0).wire.events?.onEnd();
  client.receive('more');
  assert.deepEqual([client.ended, attempt(0).wire.written, closed()], [true, 'more', 0]);
});

for (const side of ['client', 'host'] as const)
  test(`a ${side} that breaks off has the other side reset`, () => {
    const { client, attempt, closed } = start();
    attempt(0).succeed();
    const [broken, whole] = side === 'client' ? [client, attempt(0).wire] : [attempt(0).wire, client];
    broken.events?.onClose(new Error('reset'));
    assert.deepEqual([whole.wasReset, closed()], [true, 1]);
  });

test('what is over is ended, and closed for good a second later', () => {
  const { session, attempt, client, clock } = start();
  attempt(0).succeed();
  session.close();
  const { wire } = attempt(0);
  assert.deepEqual([client.ended, wire.ended, client.destroyed, wire.destroyed], [true, true, false, false]);
  clock.advance(1000);
  assert.deepEqual([client.destroyed, wire.destroyed], [true, true]);
});

test('bytes that went nowhere are not acknowledged by a proper end', () => {
  const silent = start();
  silent.attempt(0).fail();
  assert.deepEqual([silent.client.wasReset, silent.client.ended], [false, true]);
  const heard = start();
  heard.client.receive('x');
  heard.attempt(0).fail();
  assert.equal(heard.client.wasReset, true);
});

test('what passes keeps it from being idle, on either side', () => {
  const { client, attempt, clock, closed } = start({ idle_timeout: '5s' });
  attempt(0).succeed();
  for (const wire of [client, attempt(0).wire, client]) {
    clock.advance(4999);
    wire.receive('x');
  }
  assert.equal(closed(), 0);
  clock.advance(5000);
  assert.equal(closed(), 1);
});
