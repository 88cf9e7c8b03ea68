import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromJson, type JsonValue, toBinary } from '@bufbuild/protobuf';
import { type Any, AnySchema } from '@bufbuild/protobuf/wkt';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import { httpFilter, tcpFilter } from '../../fake-bootstrap.ts';
import { knownTypes } from '../../known-types.ts';
import { readSource } from '../../net/data-source.ts';
import { FakeClock } from '../../net/fake-clock.ts';
import { OwnConnections } from '../../net/own-connections.ts';
import { AccessLogs } from '../../observe/access-log/access-logs.ts';
import { Stats } from '../../observe/stats.ts';
import { SecretStore } from '../../tls/secret-store.ts';
import { ListenerSet } from './listener-set.ts';
import { RouteStore } from './route-store.ts';

function start(): { set: ListenerSet; routes: RouteStore } {
  const routes = new RouteStore();
  const set = new ListenerSet({
    stats: new Stats(),
    secrets: new SecretStore(() => undefined, readSource),
    routes,
    env: {
      cluster: () => undefined,
      statNameOf: () => undefined,
      random: Math.random,
      clock: new FakeClock(),
      date: () => '',
      nodeCluster: '',
      accessLogs: new AccessLogs(Math.random),
      activeFaults: { value: 0 },
      draining: () => false,
      healthFailing: () => false,
    },
    own: new OwnConnections(),
    drainMs: 0,
    routesWanted: () => undefined,
    log: () => undefined,
    opened: () => undefined,
  });
  return { set, routes };
}

/** A listener that connections are handed to, at these addresses. */
function unbound(name: string, addresses: readonly string[], filter: object): JsonValue {
  const places = addresses.map((address) => ({ address: { socket_address: { address, port_value: 9000 } } }));
  const json = {
    name,
    bind_to_port: false,
    ...places[0],
    additional_addresses: places.slice(1),
    filter_chains: [{ filters: [filter] }],
  };
  return JSON.parse(JSON.stringify(json));
}

const packed = (...list: readonly JsonValue[]): Any[] =>
  list.map((json) =>
    create(AnySchema, {
      value: toBinary(ListenerSchema, fromJson(ListenerSchema, json, { registry: knownTypes })),
    }),
  );

const good = tcpFilter('up');
const bad = { name: 'envoy.filters.network.unheard_of' };
const at = (ip: string, port = 9000): { ip: string; port: number } => ({ ip, port });

test('what discovery sends leaves listeners of the bootstrap alone', () => {
  const { set } = start();
  const fixed = fromJson(ListenerSchema, unbound('', ['10.0.0.1'], good), { registry: knownTypes });
  const second = fromJson(ListenerSchema, unbound('', ['10.0.0.2'], good), { registry: knownTypes });
  for (const one of [fixed, second]) assert.deepEqual(set.addFixed(one, toBinary(ListenerSchema, one)), []);
  assert.deepEqual(set.apply(packed(unbound('a', ['10.0.0.3'], good))), []);
  assert.deepEqual(
    [...set.active()].map((one) => one.name),
    ['10.0.0.1:9000', '10.0.0.2:9000', 'a'],
  );
  set.apply([]);
  set.apply(packed(unbound('10.0.0.1:9000', ['10.0.0.9'], good)));
  assert.deepEqual(
    [...set.active()].map((one) => one.address.ip),
    ['10.0.0.1', '10.0.0.2'],
  );
});

test('a refused listener shuts its addresses until it is good or gone', () => {
  const { set } = start();
  const wide = unbound('wide', ['0.0.0.0'], good);
  assert.match(
    set.apply(packed(wide, unbound('x', ['10.0.0.1', '10.0.0.2'], bad))).join(),
    /^x: .*unheard_of is not supported/,
  );
  for (const ip of ['10.0.0.1', '10.0.0.2'])
    assert.deepEqual([set.listenerFor(at(ip))?.plan.name, set.listenerFor(at(ip))?.chains.length], ['x', 0]);
  assert.equal(set.listenerFor(at('10.0.0.3'))?.plan.name, 'wide');
  assert.equal(set.listenerFor(at('10.0.0.1', 9001)), undefined);

  set.apply(packed(wide));
  assert.equal(set.listenerFor(at('10.0.0.1'))?.plan.name, 'wide');
  set.apply(packed(unbound('x', ['10.0.0.1'], good)));
  assert.equal(set.listenerFor(at('10.0.0.1'))?.chains.length, 1);

  set.apply(packed(unbound('x', ['10.0.0.1'], bad)));
  assert.equal(set.listenerFor(at('10.0.0.1'))?.chains.length, 1, 'the version before stays');
  assert.match(set.apply(packed(unbound('y', ['0.0.0.0'], bad))).join(), /^y: /);
  assert.equal(set.listenerFor(at('10.7.7.7'))?.chains.length, 0, 'all of its port');
});

test('two listeners of one name or one address', () => {
  const { set } = start();
  const list = packed(
    unbound('a', ['10.0.0.1'], good),
    unbound('a', ['10.0.0.2'], good),
    unbound('b', ['10.0.0.1'], good),
  );
  assert.deepEqual(set.apply(list), [
    'a: duplicate listener',
    "b: has duplicate address '10.0.0.1:9000' as existing listener a",
  ]);
  assert.deepEqual(
    set.apply(packed(unbound('b', ['10.0.0.1'], good))),
    [],
    'the address is free with its listener gone',
  );
});

test('without good routes a listener answers by itself instead of leaving its traffic to others', () => {
  const { set, routes } = start();
  const rds = { route_config: undefined, rds: { route_config_name: 'r', config_source: { ads: {} } } };
  set.apply(packed(unbound('web', ['10.0.0.1'], httpFilter([], rds))));
  assert.equal(set.listenerFor(at('10.0.0.1')), undefined, 'waits for its routes');
  const routeConfig = (json: object): Any =>
    create(AnySchema, {
      value: toBinary(
        RouteConfigurationSchema,
        fromJson(RouteConfigurationSchema, { name: 'r', ...json } as JsonValue),
      ),
    });
  const route = { match: { safe_regex: { regex: '(' } }, direct_response: { status: 200 } };
  assert.equal(
    routes.apply([routeConfig({ virtual_hosts: [{ name: 'v', domains: ['*'], routes: [route] }] })]).length,
    1,
  );
  set.promote();
  assert.equal(set.listenerFor(at('10.0.0.1'))?.plan.name, 'web');
});
