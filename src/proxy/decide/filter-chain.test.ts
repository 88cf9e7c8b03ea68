import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { ChainMatch } from '../plan/listener/chain-match.ts';
import { type ConnectionFacts, chooseChain } from './filter-chain.ts';

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
  assert.equal(chooseChain(list, { ...facts, ...connection })?.name, expected);
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
