import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Headers } from '../codec/http/headers.ts';
import { Request } from '../codec/http/request.ts';
import type { Cluster } from './cluster.ts';
import { endpointsAt, type FakeAttempt, type FakeCluster, fakeCluster } from './fake-cluster.ts';
import type { UpstreamConnection } from './http/upstream-connection.ts';
import { HttpPool, type PoolOptions, poolKey } from './pool.ts';

const options: PoolOptions = {
  protocol: 'h1',
  sni: undefined,
  verifyName: undefined,
  hops: 0,
  client: undefined,
  priority: 'default',
};

interface World extends FakeCluster {
  readonly pool: HttpPool;
  readonly log: string[];
  /** A request that writes down what becomes of it; true when it had a connection at once. */
  ask(name: string): boolean;
  readonly connections: Map<string, UpstreamConnection>;
  attempt(index: number): FakeAttempt;
}

function world(json: object = {}, more: Partial<PoolOptions> = {}): World {
  const fake = fakeCluster({ ...endpointsAt('10.0.0.1'), ...json });
  const [host] = fake.cluster.hosts.values();
  assert.ok(host);
  const pool = new HttpPool(fake.cluster, host, { ...options, ...more });
  const log: string[] = [];
  const connections = new Map<string, UpstreamConnection>();
  const begin = (name: string, connection: UpstreamConnection): void => {
    log.push(`${name} begins`);
    connections.set(name, connection);
    connection.request(request(), true, undefined, silent);
  };
  const ask = (name: string): boolean => {
    const now = pool.acquire({
      ready: (connection) => {
        begin(name, connection);
        return true;
      },
      failed: (reason) => log.push(`${name}: ${reason}`),
    });
    if (now) begin(name, now);
    return now !== undefined;
  };
  const attempt = (index: number): FakeAttempt => {
    const found = fake.transport.attempts[index];
    assert.ok(found, `no attempt ${index}`);
    return found;
  };
  return { ...fake, pool, log, ask, connections, attempt };
}

const request = (): Request =>
  new Request({
    method: 'GET',
    path: '/',
    authority: 'a',
    scheme: 'http',
    upgrade: undefined,
    protocol: 'http/1.1',
    headers: new Headers(),
  });
const silent = {
  interim: () => undefined,
  head: () => undefined,
  body: () => undefined,
  trailers: () => undefined,
  flush: () => undefined,
  writable: () => undefined,
  failed: () => undefined,
};
const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
const limits = (more: object): object => ({ circuit_breakers: { thresholds: [more] } });
const used = ({ resources }: Cluster): readonly number[] => [
  resources.default.connections,
  resources.default.pending,
];

test('a request waits for its connection, and the next one finds it free', () => {
  const { ask, attempt, log, cluster, count } = world();
  assert.equal(ask('a'), false);
  assert.deepEqual(used(cluster), [1, 1]);
  attempt(0).succeed();
  assert.deepEqual([log, used(cluster)], [['a begins'], [1, 0]]);
  attempt(0).wire.receive(answer);
  assert.equal(ask('b'), true);
  assert.deepEqual([count('upstream_cx_total'), count('upstream_rq_pending_total')], [1, 1]);
});

test('as many connections as requests wait', () => {
  const { ask, attempt, log, transport } = world();
  ask('a');
  ask('b');
  assert.equal(transport.attempts.length, 2);
  // The first that stands serves the first that waits.
  attempt(1).succeed();
  attempt(0).succeed();
  assert.deepEqual(log, ['a begins', 'b begins']);
});

test('no more requests wait than may', async () => {
  const { ask, log, count, cluster } = world(limits({ max_pending_requests: 1 }));
  ask('a');
  ask('b');
  await Promise.resolve();
  assert.deepEqual([log, count('upstream_rq_pending_overflow'), used(cluster)], [['b: overflow'], 1, [1, 1]]);
});

test('no more connections than may be; who waits has the next that is free', () => {
  const { ask, attempt, log, transport, count } = world(limits({ max_connections: 1 }));
  ask('a');
  ask('b');
  assert.deepEqual([transport.attempts.length, count('upstream_cx_overflow')], [1, 1]);
  attempt(0).succeed();
  attempt(0).wire.receive(answer);
  assert.deepEqual(log, ['a begins', 'b begins']);
});

for (const [timedOut, reason] of [
  [false, 'connect-failure'],
  [true, 'connect-timeout'],
] as const)
  test(`a connection that cannot be made: ${reason}`, () => {
    const { ask, attempt, log, cluster, count } = world();
    ask('a');
    attempt(0).fail(timedOut);
    assert.deepEqual([log, used(cluster)], [[`a: ${reason}`], [0, 0]]);
    assert.deepEqual(
      [count('upstream_cx_connect_fail'), count('upstream_cx_connect_timeout'), count('upstream_cx_active')],
      [1, timedOut ? 1 : 0, 0],
    );
  });

test('who waits goes on waiting while another attempt is under way', () => {
  const { ask, attempt, log } = world();
  ask('a');
  ask('b');
  attempt(0).fail();
  assert.deepEqual(log, ['a: connect-failure']);
  attempt(1).succeed();
  assert.deepEqual(log, ['a: connect-failure', 'b begins']);
});

test('a request that is given up waits no longer', () => {
  const { pool, cluster, attempt } = world();
  const waiter = { ready: () => assert.fail('it was cancelled'), failed: () => assert.fail('cancelled') };
  pool.acquire(waiter);
  pool.cancel(waiter);
  assert.deepEqual(used(cluster), [1, 0]);
  attempt(0).succeed();
});

test('a connection that closes leaves the counts, and makes room for who waits', () => {
  const { ask, attempt, transport, cluster } = world(limits({ max_connections: 1 }));
  ask('a');
  ask('b');
  attempt(0).succeed();
  attempt(0).wire.destroy();
  assert.equal(transport.attempts.length, 2);
  assert.deepEqual(used(cluster), [1, 1]);
});

test('an idle connection is closed after its time', () => {
  const { ask, attempt, clock, count } = world({ common_http_protocol_options: { idle_timeout: '5s' } });
  ask('a');
  attempt(0).succeed();
  attempt(0).wire.receive(answer);
  clock.advance(4999);
  assert.equal(attempt(0).wire.destroyed, false);
  clock.advance(1);
  assert.deepEqual([attempt(0).wire.destroyed, count('upstream_cx_idle_timeout')], [true, 1]);
});

test('a pool that drains lets what is under way end', () => {
  const { ask, attempt, pool } = world();
  ask('a');
  attempt(0).succeed();
  pool.drain();
  assert.equal(attempt(0).wire.destroyed, false);
  attempt(0).wire.receive(answer);
  assert.equal(attempt(0).wire.destroyed, true);
});

test('a pool that ends gives its attempts up', () => {
  const { ask, attempt, pool } = world();
  ask('a');
  pool.destroy();
  assert.equal(attempt(0).isGivenUp, true);
});

test('what is asked of the transport', () => {
  const { ask, attempt } = world({ connect_timeout: '2s' }, { protocol: 'auto', sni: 's' });
  ask('a');
  const { host, port, timeoutMs, alpn, sni } = attempt(0).request;
  assert.deepEqual([host, port, timeoutMs, alpn, sni], ['10.0.0.1', 80, 2000, ['h2', 'http/1.1'], 's']);
});

test('requests that may share connections have one key', () => {
  const client = { remoteIp: '1', remotePort: 2, localIp: '3', localPort: 4 };
  const keys = [
    poolKey(options),
    poolKey({ ...options, protocol: 'h2' }),
    poolKey({ ...options, sni: 'a' }),
    poolKey({ ...options, hops: 1 }),
    poolKey({ ...options, priority: 'high' }),
    poolKey({ ...options, client }),
  ];
  assert.equal(new Set(keys).size, keys.length);
  assert.equal(poolKey({ ...options }), poolKey(options));
});

const httpOptions = (more: object): object => ({ common_http_protocol_options: more });

test('a connection lasts as long as it may, and then until its request has ended', () => {
  const { ask, attempt, clock, transport } = world(httpOptions({ max_connection_duration: '5s' }));
  ask('a');
  attempt(0).succeed();
  clock.advance(5000);
  assert.equal(attempt(0).wire.destroyed, false);
  attempt(0).wire.receive(answer);
  assert.equal(attempt(0).wire.destroyed, true);
  assert.equal(ask('b'), false);
  assert.equal(transport.attempts.length, 2);
});

test('a connection in use is not idle, and each use begins its time anew', () => {
  const { ask, attempt, clock, count } = world(httpOptions({ idle_timeout: '5s' }));
  ask('a');
  attempt(0).succeed();
  clock.advance(60_000);
  attempt(0).wire.receive(answer);
  clock.advance(4000);
  ask('b');
  clock.advance(2000);
  attempt(0).wire.receive(answer);
  clock.advance(4999);
  assert.equal(attempt(0).wire.destroyed, false);
  clock.advance(1);
  assert.deepEqual([attempt(0).wire.destroyed, count('upstream_cx_idle_timeout')], [true, 1]);
});

test('what has gone cannot be idle', () => {
  const { ask, attempt, clock, count } = world(httpOptions({ idle_timeout: '5s' }));
  ask('a');
  attempt(0).succeed();
  attempt(0).wire.receive(answer);
  attempt(0).wire.destroy();
  clock.advance(5000);
  assert.deepEqual([count('upstream_cx_idle_timeout'), clock.running.size], [0, 0]);
});

test('a connection carries no more requests than it may', () => {
  const { ask, attempt } = world({ max_requests_per_connection: 2 });
  ask('a');
  attempt(0).succeed();
  attempt(0).wire.receive(answer);
  assert.equal(ask('b'), true);
  attempt(0).wire.receive(answer);
  assert.deepEqual([attempt(0).wire.destroyed, ask('c')], [true, false]);
});

test('every pool may have one connection, whatever the limit', () => {
  const { ask, attempt, log, transport } = world(limits({ max_connections: 0 }));
  ask('a');
  ask('b');
  attempt(0).succeed();
  assert.deepEqual([log, transport.attempts.length], [['a begins'], 1]);
});

test('requests of high priority have limits of their own', () => {
  const thresholds = [{ max_pending_requests: 0 }, { priority: 'HIGH', max_pending_requests: 1 }];
  const { ask, cluster } = world({ circuit_breakers: { thresholds } }, { priority: 'high' });
  ask('a');
  assert.deepEqual([cluster.resources.high.pending, ...used(cluster)], [1, 0, 0]);
});

test('a connection that nobody waits for any more is kept', () => {
  const { ask, pool, attempt, log } = world();
  const waiter = { ready: () => assert.fail('it was cancelled'), failed: () => assert.fail('cancelled') };
  pool.acquire(waiter);
  pool.cancel(waiter);
  pool.cancel(waiter);
  attempt(0).succeed();
  assert.equal(ask('a'), true);
  assert.deepEqual(log, ['a begins']);
});

test('who does not want a connection after all leaves it to the next', () => {
  const { ask, pool, attempt, log, cluster } = world();
  pool.acquire({ ready: () => false, failed: () => assert.fail('there is a connection') });
  ask('b');
  attempt(0).succeed();
  assert.deepEqual([log, used(cluster)], [['b begins'], [2, 0]]);
});

test('the connection used last is used first', () => {
  const { ask, attempt, connections } = world();
  ask('a');
  ask('b');
  attempt(0).succeed();
  attempt(1).succeed();
  attempt(0).wire.receive(answer);
  attempt(1).wire.receive(answer);
  ask('c');
  assert.equal(connections.get('c'), connections.get('b'));
});

test('an idle connection that its host closes is not used', () => {
  const { ask, attempt, cluster } = world();
  ask('a');
  attempt(0).succeed();
  attempt(0).wire.receive(answer);
  attempt(0).wire.events?.onEnd();
  assert.deepEqual([ask('b'), used(cluster)], [false, [1, 1]]);
});

test('who waits is served by a pool that drains, whose connection ends then', () => {
  const { ask, attempt, pool, log } = world();
  ask('a');
  pool.drain();
  attempt(0).succeed();
  assert.deepEqual([log, attempt(0).wire.destroyed], [['a begins'], false]);
  attempt(0).wire.receive(answer);
  assert.equal(attempt(0).wire.destroyed, true);
});

test('a pool that drains closes what is idle', () => {
  const { ask, attempt, pool, cluster } = world();
  ask('a');
  attempt(0).succeed();
  attempt(0).wire.receive(answer);
  pool.drain();
  assert.deepEqual([attempt(0).wire.destroyed, used(cluster)], [true, [0, 0]]);
});

test('of many that wait, as many fail as there are attempts too few', () => {
  const { ask, attempt, log } = world(limits({ max_connections: 1 }));
  for (const name of ['a', 'b', 'c']) ask(name);
  attempt(0).fail();
  assert.deepEqual(log, ['a: connect-failure', 'b: connect-failure', 'c: connect-failure']);
});
