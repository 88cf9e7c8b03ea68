import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainMatch } from '../plan/listener/chain-match.ts';
import { type ConnectionFacts, chooseChain, decideChain, lossText } from './filter-chain.ts';

const any: ChainMatch = {
  destinationPort: undefined,
  destinations: [],
  serverNames: [],
  transportProtocol: '',
  applicationProtocols: [],
  directSources: [],
  sourceType: 'any',
  sources: [],
  sourcePorts: [],
};
const facts: ConnectionFacts = {
  destinationIp: '10.1.2.3',
  destinationPort: 80,
  sourceIp: '192.168.0.9',
  sourcePort: 4000,
  serverName: undefined,
  transportProtocol: 'raw_buffer',
  applicationProtocols: [],
};
const ten8 = { bytes: [10, 0, 0, 0], length: 8 };
const ten24 = { bytes: [10, 1, 2, 0], length: 24 };

function check(
  chains: Readonly<Record<string, Partial<ChainMatch>>>,
  connection: Partial<ConnectionFacts>,
  expected: string | undefined,
): void {
  const list = Object.entries(chains).map(([name, match]) => ({ name, match: { ...any, ...match } }));
  const all = { ...facts, ...connection };
  assert.equal(chooseChain(list, all)?.name, expected);
  const decision = decideChain(list, undefined, all);
  assert.equal(decision.chosen?.name, expected);
  assert.equal(decision.lost.length, list.length - (expected === undefined ? 0 : 1));
}

test('destination port beats the rest and is never gone back from', () => {
  check({ all: {}, port: { destinationPort: 80 } }, {}, 'port');
  check({ all: {}, port: { destinationPort: 80, transportProtocol: 'tls' } }, {}, undefined);
});
test('the longest destination prefix', () => {
  check({ wide: { destinations: [ten8] }, narrow: { destinations: [ten24] }, all: {} }, {}, 'narrow');
  check(
    { wide: { destinations: [ten8] }, narrow: { destinations: [ten24] } },
    { destinationIp: '10.9.9.9' },
    'wide',
  );
  check({ wide: { destinations: [ten8] } }, { destinationIp: '11.9.9.9' }, undefined);
});
test('server names: exact, then the longest wildcard', () => {
  const chains = {
    exact: { serverNames: ['a.b.com'] },
    near: { serverNames: ['*.b.com'] },
    far: { serverNames: ['*.com'] },
    none: {},
  };
  check(chains, { serverName: 'a.b.com' }, 'exact');
  check(chains, { serverName: 'x.y.b.com' }, 'near');
  check(chains, { serverName: 'b.com' }, 'far');
  check(chains, { serverName: 'b.org' }, 'none');
  check(chains, {}, 'none');
});
test("application protocols in the client's order", () => {
  const chains = {
    h2: { applicationProtocols: ['h2'] },
    h1: { applicationProtocols: ['http/1.1', 'h2c'] },
    other: {},
  };
  check(chains, { applicationProtocols: ['http/1.1', 'h2'] }, 'h1');
  check(chains, { applicationProtocols: ['h2', 'http/1.1'] }, 'h2');
  check(chains, { applicationProtocols: ['spdy'] }, 'other');
});
test('transport protocol', () => {
  check({ tls: { transportProtocol: 'tls' }, raw: { transportProtocol: 'raw_buffer' } }, {}, 'raw');
  check({ tls: { transportProtocol: 'tls' } }, {}, undefined);
});
test('source type, prefix and port', () => {
  check({ local: { sourceType: 'local' }, external: { sourceType: 'external' } }, {}, 'external');
  check(
    { local: { sourceType: 'local' }, external: { sourceType: 'external' } },
    { sourceIp: '127.0.0.1' },
    'local',
  );
  check({ from: { sources: [{ bytes: [192, 168, 0, 0], length: 16 }] }, all: {} }, {}, 'from');
  check({ port: { sourcePorts: [4000] }, all: {} }, {}, 'port');
  check({ port: { sourcePorts: [1] }, all: {} }, {}, 'all');
});

const reasons: readonly {
  readonly chains: Readonly<Record<string, Partial<ChainMatch>>>;
  readonly expected: readonly string[];
}[] = [
  {
    chains: { port: { destinationPort: 81 }, all: {} },
    expected: ['port: destination port: wants 81, the connection has 80'],
  },
  {
    chains: { wide: { destinations: [ten8] }, narrow: { destinations: [ten24] } },
    expected: ['wide: destination address: another chain fits more closely'],
  },
  {
    chains: { other: { destinations: [{ bytes: [11, 0, 0, 0], length: 8 }] } },
    expected: ['other: destination address: wants 11.0.0.0/8, the connection has 10.1.2.3', 'default chain'],
  },
  {
    chains: {
      named: { serverNames: ['a', 'b'] },
      tls: { transportProtocol: 'tls' },
      h2: { applicationProtocols: ['h2'] },
    },
    expected: [
      'named: server name: wants a or b, the connection has none',
      'tls: transport protocol: wants tls, the connection has raw_buffer',
      'h2: application protocols: wants h2, the connection has none',
      'default chain',
    ],
  },
  {
    chains: { local: { sourceType: 'local' }, port: { sourcePorts: [1, 2] }, all: {}, twin: {} },
    expected: [
      'local: source type: wants local, the connection has external',
      'port: source port: wants 1 or 2, the connection has 4000',
      'twin: another chain fits as well and comes first',
    ],
  },
];

for (const { chains, expected } of reasons)
  test(`why not: ${Object.keys(chains)}`, () => {
    const list = Object.entries(chains).map(([name, match]) => ({ name, match: { ...any, ...match } }));
    const decision = decideChain(list, { name: 'default', match: any }, facts);
    const told = decision.lost.map(({ chain, loss }) => `${chain.name}: ${lossText(loss)}`);
    assert.deepEqual(decision.isDefault ? [...told, 'default chain'] : told, expected);
    assert.deepEqual(structuredClone(decision), decision);
  });
