// What a client sees of either protocol: one suite of exchanges, run against both sessions.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { resourceTypes, typeOfUrl, typeUrlOf } from '../resource-types.ts';
import { Exchange, protocols } from './testing/exchange.ts';

type Step = readonly [what: string, act: (bench: Exchange) => unknown, effects: readonly string[]];

/** A client as Envoy is: everything of clusters and listeners, the rest by name; all of it accepted. */
function started(bench: Exchange): void {
  bench.set({
    cluster: { a: 'eds-a1' },
    endpoint: { a: 'ea1' },
    listener: { l: 'l1' },
    route: { r: 'to-a' },
  });
  bench.ask('cluster');
  bench.ask('endpoint', { subscribe: ['a'] });
  bench.ask('listener');
  bench.ask('route', { subscribe: ['r'] });
  bench.accept('cluster', 'endpoint', 'listener', 'route');
  bench.take();
  bench.events.length = 0;
}

const exchanges: Readonly<Record<string, readonly Step[]>> = {
  'everything of a type, and then what changes': [
    ['ask', (b) => b.set({ cluster: { a: 'a1', b: 'b1' } }).ask('cluster'), ['cluster +a1 +b1']],
    ['accept', (b) => b.accept('cluster'), []],
    ['change', (b) => b.set({ cluster: { b: 'b2' } }), ['cluster ~b2']],
    ['accept', (b) => b.accept('cluster'), []],
    ['add', (b) => b.set({ cluster: { c: 'c1' } }), ['cluster +c1']],
    ['accept', (b) => b.accept('cluster'), []],
    ['remove', (b) => b.set({ cluster: { a: undefined } }), ['cluster -a']],
  ],
  'nothing there is an answer too': [['ask', (b) => b.ask('cluster'), ['cluster =']]],
  'an explicit wildcard': [
    ['ask', (b) => b.set({ listener: { l: 'l1' } }).ask('listener', { subscribe: ['*'] }), ['listener +l1']],
  ],
  'a wildcard together with a name beyond it': [
    [
      'ask',
      (b) =>
        b
          .set({ cluster: { a: 'a1', 'unlisted-x': 'x1' } })
          .ask('cluster', { subscribe: ['*', 'unlisted-x'] }),
      ['cluster +a1 +x1'],
    ],
    ['accept', (b) => b.accept('cluster'), []],
    ['change the one beyond', (b) => b.set({ cluster: { 'unlisted-x': 'x2' } }), ['cluster ~x2']],
  ],
  'names, and only those': [
    [
      'ask',
      (b) => b.set({ endpoint: { a: 'a1', b: 'b1', c: 'c1' } }).ask('endpoint', { subscribe: ['a', 'b'] }),
      ['endpoint +a1 +b1'],
    ],
    ['another one changes', (b) => b.set({ endpoint: { c: 'c2' } }), []],
    ['one of them changes', (b) => b.set({ endpoint: { b: 'b2' } }), ['endpoint ~b2']],
    [
      'one more name',
      (b) => b.ask('endpoint', { subscribe: ['c'], nonce: b.last('endpoint').nonce }),
      ['endpoint +c2'],
    ],
    ['one name less', (b) => b.ask('endpoint', { unsubscribe: ['a'], nonce: b.last('endpoint').nonce }), []],
    ['that one changes', (b) => b.set({ endpoint: { a: 'a2' } }), []],
  ],
  'a name asked for again after it was given up is sent again': [
    [
      'ask',
      (b) => b.set({ route: { r: 'r1', s: 's1' } }).ask('route', { subscribe: ['r', 's'] }),
      ['route +r1 +s1'],
    ],
    ['accept', (b) => b.accept('route'), []],
    ['give up', (b) => b.ask('route', { unsubscribe: ['r'], nonce: b.last('route').nonce }), []],
    [
      'ask again',
      (b) => b.forget('route', 'r').ask('route', { subscribe: ['r'], nonce: b.last('route').nonce }),
      ['route +r1'],
    ],
  ],
  'what appears later comes when it does': [
    [
      'ask',
      (b) =>
        b
          .set({ route: { a: 'a1' } })
          .ask('route', { subscribe: ['a'] })
          .accept('route'),
      ['route +a1'],
    ],
    [
      'appear',
      (b) =>
        b
          .ask('route', { subscribe: ['late'], nonce: b.last('route').nonce })
          .discard()
          .set({ route: { late: 'l1' } }),
      ['route +l1'],
    ],
  ],
  'a refused version is not sent again, the next one is': [
    ['ask', (b) => b.set({ cluster: { a: 'bad', b: 'b1' } }).ask('cluster'), ['cluster +bad +b1']],
    ['refuse', (b) => b.refuse('cluster', 'a: no such policy'), []],
    ['nothing new', (b) => b.session.flush(), []],
    ['another changes', (b) => b.set({ listener: { l: 'l1' } }), []],
    ['mend', (b) => b.set({ cluster: { a: 'good' } }), ['cluster ~good']],
  ],
  'a change of what the client has not asked for sends nothing': [
    ['start', started, []],
    ['change', (b) => b.set({ secret: { s: 's1' }, route: { other: 'o1' } }), []],
  ],
  'a full socket holds back, and the latest state follows': [
    ['start', started, []],
    ['fill', (b) => b.fill().set({ endpoint: { a: 'ea2' } }), ['endpoint ~ea2']],
    ['change', (b) => b.set({ endpoint: { a: 'ea3' } }).set({ endpoint: { a: 'ea4' } }), []],
    ['drain', (b) => b.drain(), ['endpoint ~ea4']],
  ],
  'a change there and back sends nothing': [
    ['start', started, []],
    ['fill', (b) => b.fill().set({ endpoint: { a: 'ea2' } }), ['endpoint ~ea2']],
    ['change', (b) => b.set({ endpoint: { a: 'ea3' } }).set({ endpoint: { a: 'ea2' } }), []],
    ['drain', (b) => b.drain(), []],
  ],
  'a new cluster, its endpoints, then the route to it': [
    ['start', started, []],
    [
      'add',
      (b) => b.set({ cluster: { b: 'eds-b1' }, endpoint: { b: 'eb1' }, route: { r: 'to-b' } }),
      ['cluster +eds-b1'],
    ],
    ['accept: the route waits for the endpoints', (b) => b.accept('cluster'), []],
    [
      'ask for them',
      (b) => b.ask('endpoint', { subscribe: ['b'], nonce: b.last('endpoint').nonce }),
      ['endpoint +eb1'],
    ],
    ['accept them', (b) => b.accept('endpoint'), ['route ~to-b']],
  ],
  'an answer in another view does not let a route pass the clusters': [
    ['start', started, []],
    ['change', (b) => b.set({ route: { r: 'to-a2' } }), ['route ~to-a2']],
    ['add', (b) => b.set({ cluster: { b: 'b1' }, route: { r: 'to-b' } }), ['cluster +b1']],
    ['another view', (b) => b.replaceFeeds(), []],
    ['accept the route', (b) => b.accept('route'), []],
    ['accept the cluster', (b) => b.accept('cluster'), ['route ~to-b']],
  ],
  'endpoints asked for before the cluster is accepted': [
    ['start', started, []],
    [
      'add',
      (b) => b.set({ cluster: { b: 'eds-b1' }, endpoint: { b: 'eb1' }, route: { r: 'to-b' } }),
      ['cluster +eds-b1'],
    ],
    [
      'ask',
      (b) => b.ask('endpoint', { subscribe: ['b'], nonce: b.last('endpoint').nonce }),
      ['endpoint +eb1'],
    ],
    ['accept', (b) => b.accept('cluster'), []],
    ['accept endpoints', (b) => b.accept('endpoint'), ['route ~to-b']],
  ],
  'a new cluster whose endpoints the client never asks for': [
    ['start', started, []],
    [
      'add',
      (b) => b.set({ cluster: { b: 'eds-b1' }, endpoint: { b: 'eb1' }, route: { r: 'to-b' } }),
      ['cluster +eds-b1'],
    ],
    ['accept', (b) => b.accept('cluster'), []],
    ['time passes', (b) => b.runOutOfPatience(), ['route ~to-b']],
  ],
  'a new cluster without endpoints does not hold the route': [
    ['start', started, []],
    ['add', (b) => b.set({ cluster: { b: 'b1' }, route: { r: 'to-b' } }), ['cluster +b1']],
    ['accept', (b) => b.accept('cluster'), ['route ~to-b']],
  ],
  'a refused cluster does not hold the route': [
    ['start', started, []],
    ['add', (b) => b.set({ cluster: { b: 'eds-b1' }, route: { r: 'to-b' } }), ['cluster +eds-b1']],
    ['refuse', (b) => b.refuse('cluster', 'b: no'), ['route ~to-b']],
  ],
  'the endpoints of a changed cluster follow it unasked': [
    ['start', started, []],
    ['change', (b) => b.set({ cluster: { a: 'eds-a2' } }), ['cluster ~eds-a2', 'endpoint !ea1']],
  ],
  'a cluster leaves after the route to it': [
    ['start', started, []],
    ['two', (b) => b.set({ cluster: { b: 'b1' } }).accept('cluster'), ['cluster +b1']],
    [
      'swap',
      (b) => b.set({ cluster: { a: undefined }, endpoint: { a: undefined }, route: { r: 'to-b' } }),
      ['route ~to-b'],
    ],
    ['accept the route', (b) => b.accept('route'), ['cluster -a']],
  ],
  'a cluster replaced by another in one change': [
    ['start', started, []],
    ['swap', (b) => b.set({ cluster: { a: undefined, b: 'b1' }, route: { r: 'to-b' } }), ['cluster +b1']],
    ['accept the cluster', (b) => b.accept('cluster'), ['route ~to-b']],
    ['accept the route', (b) => b.accept('route'), ['cluster -a']],
    ['accept the removal', (b) => b.accept('cluster').expectSettled(), []],
  ],
  'a cluster stays while the route that would leave it is refused': [
    ['start', started, []],
    ['swap', (b) => b.set({ cluster: { a: undefined, b: 'b1' }, route: { r: 'bad' } }), ['cluster +b1']],
    ['accept the cluster', (b) => b.accept('cluster'), ['route ~bad']],
    ['refuse the route', (b) => b.refuse('route', 'r: bad').expectSettled(), []],
    ['mend', (b) => b.set({ route: { r: 'to-b' } }), ['route ~to-b']],
    ['accept', (b) => b.accept('route'), ['cluster -a']],
  ],
  'a cluster that comes back before it could leave': [
    ['start', started, []],
    ['two', (b) => b.set({ cluster: { b: 'b1' } }).accept('cluster'), ['cluster +b1']],
    ['swap', (b) => b.set({ cluster: { b: undefined }, route: { r: 'to-a2' } }), ['route ~to-a2']],
    ['come back', (b) => b.set({ cluster: { b: 'b1' } }), []],
    ['accept the route', (b) => b.accept('route').expectSettled(), []],
  ],
  'a removal in a later change than the route waits for the route all the same': [
    ['start', started, []],
    ['route', (b) => b.set({ route: { r: 'elsewhere' } }), ['route ~elsewhere']],
    ['remove', (b) => b.set({ cluster: { a: undefined } }), []],
    ['accept', (b) => b.accept('route'), ['cluster -a']],
  ],
  'clusters asked for by name leave when the client has given them up, and nothing is said': [
    [
      'ask',
      (b) => b.set({ cluster: { a: 'a1' }, route: { r: 'to-a' } }).ask('cluster', { subscribe: ['a'] }),
      ['cluster +a1'],
    ],
    [
      'accept',
      (b) =>
        b
          .accept('cluster')
          .ask('route', { subscribe: ['r'] })
          .accept('route'),
      ['route +to-a'],
    ],
    ['swap', (b) => b.set({ cluster: { a: undefined, b: 'b1' }, route: { r: 'to-b' } }), ['route ~to-b']],
    ['accept: the client still uses what the route named before', (b) => b.accept('route'), []],
    [
      'ask for the new one',
      (b) => b.ask('cluster', { subscribe: ['b'], nonce: b.last('cluster').nonce }),
      ['cluster +b1'],
    ],
    ['accept', (b) => b.accept('cluster'), []],
    [
      'give up',
      (b) => b.forget('cluster', 'a').ask('cluster', { unsubscribe: ['a'], nonce: b.last('cluster').nonce }),
      [],
    ],
    ['settled', (b) => b.expectSettled(), []],
    ['time passes', (b) => b.runOutOfPatience(), []],
    ['another change', (b) => b.set({ cluster: { b: 'b2' } }), ['cluster ~b2']],
  ],
  'a cluster asked for by name that the client does not give up is taken away after a while': [
    [
      'ask',
      (b) => b.set({ cluster: { a: 'a1', b: 'b1' } }).ask('cluster', { subscribe: ['a', 'b'] }),
      ['cluster +a1 +b1'],
    ],
    ['accept', (b) => b.accept('cluster'), []],
    ['remove', (b) => b.set({ cluster: { a: undefined } }), []],
    ['time passes', (b) => b.runOutOfPatience(), ['cluster -a']],
  ],
  'a listener goes away at once, its clusters after it': [
    ['start', started, []],
    ['remove', (b) => b.set({ listener: { l: undefined }, cluster: { a: undefined } }), ['listener -l']],
    ['accept', (b) => b.accept('listener'), ['cluster -a']],
  ],
};

for (const protocol of protocols)
  for (const [name, steps] of Object.entries(exchanges))
    test(`${protocol}: ${name}`, () => {
      const bench = new Exchange(protocol);
      for (const [what, act, effects] of steps) {
        act(bench);
        assert.deepEqual(bench.take(), effects, what);
      }
    });

for (const protocol of protocols)
  test(`${protocol}: answers are reported, refusals with the resources that the message names`, () => {
    const bench = new Exchange(protocol);
    bench.set({ cluster: { one: 'a1', two: 'b1' } });
    bench.ask('cluster');
    bench.refuse('cluster', 'Error adding/updating cluster(s) two: bad');
    bench.set({ cluster: { two: 'b2' } });
    bench.accept('cluster');
    assert.deepEqual(bench.events, [
      'refused cluster two: Error adding/updating cluster(s) two: bad',
      'acknowledged cluster',
    ]);
    assert.ok(bench.session.settled);
  });

test('type names read back from their URLs', () => {
  for (const type of resourceTypes) assert.equal(typeOfUrl(typeUrlOf(type)), type);
});
