// A proxy for tests, from the bytes of one client's connection to the bytes that its hosts get, without
// sockets and on a clock of its own. `play` has things happen in turn and compares what is seen of each.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { fromJson, type JsonValue } from '@bufbuild/protobuf';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import { filterCatalog } from '../../filters/all.ts';
import { knownTypes } from '../../known-types.ts';
import { FakeClock } from '../../net/fake-clock.ts';
import { AccessLogs } from '../../observe/access-log/access-logs.ts';
import { Stats } from '../../observe/stats.ts';
import { planManager } from '../../plan/http/manager-plan.ts';
import {
  endpointsAt,
  type FakeAttempt,
  type FakeCluster,
  FakeTransport,
  fakeCluster,
} from '../../upstream/fake-cluster.ts';
import { FakeWire } from '../../upstream/http/fake-wire.ts';
import type { HttpEnvironment } from '../environment.ts';
import { HttpConnection } from './connection.ts';
import { HttpManager } from './http-manager.ts';

const clientInfo: ConnectionInfo = {
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

/** What differs from a manager with one route to a cluster of two hosts. */
export interface Setting {
  readonly manager?: object;
  readonly route?: object;
  /** In place of the action to forward. */
  readonly action?: object;
  readonly cluster?: object;
  /** A second cluster, `m`. */
  readonly mirror?: object;
  readonly draws?: number;
  readonly draining?: () => boolean;
}

export interface FakeProxy {
  readonly connection: HttpConnection;
  readonly client: FakeWire;
  readonly clock: FakeClock;
  readonly cluster: FakeCluster;
  readonly mirror: FakeCluster;
  /** By the name that follows `http.main.downstream_`. */
  readonly stat: (name: string) => number;
  /** Connections of either cluster, in the order in which they were asked for. */
  host(index: number): FakeAttempt;
  isClosed(): boolean;
}

const router = {
  name: 'envoy.filters.http.router',
  typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
};

function fakeProxy(setting: Setting = {}): FakeProxy {
  const clock = new FakeClock();
  const transport = new FakeTransport();
  const parts = { clock, transport };
  const cluster = fakeCluster({ ...endpointsAt('10.0.0.1', '10.0.0.2'), ...setting.cluster }, parts);
  const mirror = fakeCluster({ ...endpointsAt('10.0.0.3'), ...setting.mirror, name: 'm' }, parts);
  const env = environment(setting, { clock, clusters: { c: cluster, m: mirror } });
  const stats = new Stats();
  const manager = managerOf(setting, env, stats);
  const client = new FakeWire();
  let closed = false;
  const connection = new HttpConnection({ manager, env, info: clientInfo, closed: () => (closed = true) });
  connection.serveH1(client, undefined);
  return {
    connection,
    client,
    clock,
    cluster,
    mirror,
    stat: (name) => stats.all().find((one) => one.name === `http.main.downstream_${name}`)?.value ?? 0,
    host: (index) => {
      const found = transport.attempts[index];
      assert.ok(found, `there is no connection ${index}`);
      return found;
    },
    isClosed: () => closed,
  };
}

interface Around {
  readonly clock: FakeClock;
  readonly clusters: Readonly<Record<string, FakeCluster>>;
}

export function environment(setting: Setting, { clock, clusters }: Around): HttpEnvironment {
  return {
    cluster: (name) => clusters[name]?.cluster,
    statNameOf: (name) => name,
    random: () => setting.draws ?? 0,
    clock,
    date: () => 'now',
    nodeCluster: '',
    accessLogs: new AccessLogs(() => 0),
    activeFaults: { value: 0 },
    draining: setting.draining ?? (() => false),
    healthFailing: () => false,
  };
}

function managerOf(setting: Setting, env: HttpEnvironment, stats: Stats): HttpManager {
  const action = setting.action ?? { route: { cluster: 'c', timeout: '0s', ...setting.route } };
  const routes = [{ match: { prefix: '/' }, ...action }, connectRoute];
  const json = {
    stat_prefix: 'main',
    http_filters: [router],
    generate_request_id: false,
    route_config: { name: 'r', virtual_hosts: [{ name: 'v', domains: ['*'], routes }] },
    ...setting.manager,
  } as JsonValue;
  const problems: string[] = [];
  const source = fromJson(HttpConnectionManagerSchema, json, { registry: knownTypes });
  const plan = planManager(source, { outbound: false, catalog: filterCatalog }, problems);
  const routeSlots = { namedRoutes: () => ({ table: undefined }) };
  const manager = new HttpManager(plan, { stats, routes: routeSlots, env }, problems);
  assert.deepEqual(problems, []);
  return manager;
}

const connectRoute = {
  match: { connect_matcher: {} },
  route: { cluster: 'c', timeout: '0s', upgrade_configs: [{ upgrade_type: 'CONNECT' }] },
};

/** Something that happens, and its name in a failing test. */
export type Event = (proxy: FakeProxy) => void;
/** What happens, and what is seen of it. */
export type Step = readonly [event: Event, ...seen: string[]];

/** A test: things happen in turn, and of each exactly this is seen, and nothing more. */
export function play(name: string, setting: Setting, steps: readonly Step[]): void {
  test(name, async () => {
    const proxy = fakeProxy(setting);
    const look = observer(proxy);
    await soon();
    look();
    for (const [index, [event, ...seen]] of steps.entries()) {
      event(proxy);
      await soon();
      assert.deepEqual(look(), seen, `step ${index + 1}`);
    }
  });
}

/** What is due in this turn of the event loop and the next one has happened. */
export async function soon(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

/** The client sends a request: the rest of its first line, fields, and its body. */
export const asks =
  (line: string, fields: readonly string[] = [], body = ''): Event =>
  ({ client }) =>
    client.receive([`${line} HTTP/1.1`, 'host: a', ...fields, '', body].join('\r\n'));
export const sends =
  (text: string): Event =>
  ({ client }) =>
    client.receive(text);
export const clientEnds: Event = ({ client }) => client.events?.onEnd();
export const clientGoes: Event = ({ client }) => client.destroy();
/** The client reads no more, then all that has come. */
export const clientStalls: Event = ({ client }) => {
  client.backedUp = true;
};
export const clientReads: Event = ({ client }) => client.drained();

export const connects =
  (index: number): Event =>
  (proxy) =>
    proxy.host(index).succeed();
export const refuses =
  (index: number, timedOut = false): Event =>
  (proxy) =>
    proxy.host(index).fail(timedOut);
/** The host answers: status, fields, and a body of which all or some comes. */
export const answers =
  (index: number, status: string, fields: readonly string[] = ['content-length: 0'], body = ''): Event =>
  (proxy) =>
    proxy.host(index).wire.receive([`HTTP/1.1 ${status} .`, ...fields, '', body].join('\r\n'));
export const hostSends =
  (index: number, text: string): Event =>
  (proxy) =>
    proxy.host(index).wire.receive(text);
export const hostEnds =
  (index: number): Event =>
  (proxy) =>
    proxy.host(index).wire.events?.onEnd();
export const hostGoes =
  (index: number): Event =>
  (proxy) =>
    proxy.host(index).wire.destroy();
export const hostStalls =
  (index: number): Event =>
  (proxy) => {
    proxy.host(index).wire.backedUp = true;
  };
export const hostReads =
  (index: number): Event =>
  (proxy) =>
    proxy.host(index).wire.drained();
/** The listener leaves; `closeIdle` as it has it. */
export const drains =
  (closeIdle: boolean): Event =>
  ({ connection }) =>
    connection.drain(closeIdle);
export const passes =
  (ms: number): Event =>
  ({ clock }) =>
    clock.advance(ms);

/** A statistic of the cluster, after all. */
export const counts =
  (expected: Readonly<Record<string, number>>): Event =>
  ({ cluster }) => {
    const found = Object.fromEntries(Object.keys(expected).map((name) => [name, cluster.count(name)]));
    assert.deepEqual(found, expected);
  };
/** A statistic of the connection manager. */
export const tells =
  (expected: Readonly<Record<string, number>>): Event =>
  ({ stat }) => {
    const found = Object.fromEntries(Object.keys(expected).map((name) => [name, stat(name)]));
    assert.deepEqual(found, expected);
  };
/** Nothing is held any more of what the cluster's limits count. */
export const isIdle: Event = ({ cluster: { cluster } }) => {
  const { pending, requests, retries } = cluster.resources.default;
  const active = [...cluster.hosts.values()].reduce((sum, host) => sum + host.activeRequests, 0);
  assert.deepEqual([pending, requests, retries, active], [0, 0, 0, 0]);
};

/** What is new each time it is called, in words. */
function observer(proxy: FakeProxy): () => readonly string[] {
  const parties = new Map<string, Seen>([['client', watched(proxy.client)]]);
  return () => {
    const news: string[] = [];
    for (const [index, attempt] of proxy.cluster.transport.attempts.entries()) {
      const name = `host ${index}`;
      if (!parties.has(name)) news.push(`${name} is dialled at ${attempt.request.host}`);
      const seen = parties.get(name) ?? watched(attempt.wire);
      parties.set(name, seen);
      if (attempt.isGivenUp && !seen.isGivenUp) news.push(`${name} is given up`);
      seen.isGivenUp = attempt.isGivenUp;
    }
    return [...news, ...[...parties].flatMap(([name, seen]) => newsOf(name, seen))];
  };
}

interface Seen {
  readonly wire: FakeWire;
  isGivenUp: boolean;
  paused: boolean;
  ended: boolean;
  destroyed: boolean;
}

function watched(wire: FakeWire): Seen {
  return { wire, isGivenUp: false, paused: false, ended: false, destroyed: false };
}

function newsOf(name: string, seen: Seen): readonly string[] {
  const { wire } = seen;
  const news: string[] = [];
  const text = wire.take();
  if (text !== '') news.push(`${name} gets ${brief(text)}`);
  if (wire.paused !== seen.paused) news.push(`${name} is ${wire.paused ? 'not read' : 'read again'}`);
  if (wire.ended && !seen.ended) news.push(`${name} is ended`);
  if (wire.destroyed && !seen.destroyed) news.push(`${name} is ${wire.wasReset ? 'reset' : 'closed'}`);
  Object.assign(seen, { paused: wire.paused, ended: wire.ended, destroyed: wire.destroyed });
  return news;
}

/** Fields that tests are about; the others would hide them. */
const told =
  /^(connection|content-length|transfer-encoding|x-envoy-(attempt-count|expected-rq-timeout-ms|overloaded)|upgrade|expect|x-t|link|location|grpc-(status|message)): /;

/** Messages with their heads in one line; other ends of lines are shown as `|`. */
function brief(text: string): string {
  return text
    .replace(/(HTTP\/1\.[01] \d+|[A-Z]+ \S+ HTTP\/1\.1)[^\r]*\r\n([\s\S]*?\r\n)?\r\n/g, headLine)
    .replace(/([a-z])\1{99,}/g, (run: string, one: string) => `${one}*${run.length}`)
    .replaceAll('\r\n', '|')
    .replace('upstream connect error or disconnect/reset before headers.', '…')
    .trimEnd();
}

function headLine(_head: string, first: string, fields = ''): string {
  const lines = fields.split('\r\n').filter((field) => told.test(field));
  return `${first.replace(/HTTP\/1\.[01]/, '').trim()} [${lines.join(', ')}] `;
}
