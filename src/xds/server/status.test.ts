// How a resource stands with a client, in both protocols.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Exchange, type Protocol, protocols } from './testing/exchange.ts';

type Steps = (exchange: Exchange) => Exchange;
interface Case {
  readonly steps: Steps;
  /** The status of route `r`, as `kind version reason`. */
  readonly status: string;
  readonly only?: Protocol;
}

const asked: Steps = (exchange) => exchange.set({ route: { r: 'r1' } }).ask('route', { subscribe: ['r'] });
const cases: Readonly<Record<string, Case>> = {
  'not asked for': { steps: (exchange) => exchange.set({ route: { r: 'r1' } }), status: '' },
  'asked for, and not there': {
    steps: (exchange) => exchange.ask('route', { subscribe: ['r'] }),
    status: '',
  },
  'sent and not answered': { steps: asked, status: 'sent r1' },
  acknowledged: { steps: (exchange) => asked(exchange).accept('route'), status: 'acknowledged r1' },
  refused: {
    steps: (exchange) => asked(exchange).refuse('route', 'r: no such cluster'),
    status: 'refused r1 r: no such cluster',
  },
  'refused with a reason that names nothing': {
    steps: (exchange) => asked(exchange).refuse('route', 'bad'),
    status: 'refused r1 bad',
  },
  'refused for the sake of another': {
    steps: (exchange) =>
      exchange
        .set({ route: { r: 'r1', other: 'o1' } })
        .ask('route', { subscribe: ['r', 'other'] })
        .refuse('route', 'other is bad'),
    status: 'acknowledged r1',
  },
  'a newer version follows one that was refused': {
    steps: (exchange) =>
      asked(exchange)
        .refuse('route', 'r is bad')
        .set({ route: { r: 'r2' } }),
    status: 'sent r2',
  },
  'a newer version is not sent yet': {
    steps: (exchange) =>
      asked(exchange)
        .accept('route')
        .fill()
        .set({ route: { r: 'r2' } })
        .set({ route: { r: 'r3' } }),
    status: 'pending r3',
  },
  'the answer to a later response is about the earlier one as well': {
    steps: (exchange) =>
      exchange
        .set({ route: { r: 'r1' } })
        .ask('route', { subscribe: ['r', 'other'] })
        .set({ route: { other: 'o1' } })
        .accept('route'),
    status: 'acknowledged r1',
    only: 'sotw',
  },
  'of two responses only the later is answered': {
    steps: (exchange) =>
      exchange
        .set({ route: { r: 'r1' } })
        .ask('route', { subscribe: ['r', 'other'] })
        .set({ route: { other: 'o1' } }),
    status: 'sent r1',
  },
};

for (const protocol of protocols)
  for (const [name, { steps, status, only = protocol }] of Object.entries(cases))
    if (only === protocol)
      test(`${protocol}: ${name}`, () => {
        assert.equal(textOf(steps(new Exchange(protocol)), 'r'), status);
      });

for (const protocol of protocols)
  test(`${protocol}: what is gone leaves when routes no longer need it`, () => {
    const exchange = new Exchange(protocol)
      .set({ cluster: { c: 'c1', d: 'd1' }, listener: { l: 'l1' } })
      .ask('cluster')
      .accept('cluster')
      .ask('listener')
      .accept('listener');
    exchange.set({ cluster: { c: undefined }, listener: { l: 'l2' } });
    assert.equal(exchange.session.status('cluster', 'c')?.kind, 'leaving');
    exchange.accept('listener');
    assert.equal(exchange.session.status('cluster', 'c'), undefined);
    assert.equal(exchange.session.status('cluster', 'd')?.version, 'd1');
  });

function textOf({ session }: Exchange, name: string): string {
  const status = session.status('route', name);
  if (!status) return '';
  const words = [status.kind, status.version, status.kind === 'refused' ? status.reason : ''];
  return words.filter((word) => word !== '').join(' ');
}
