// When events are acted on, and which of them together; time is the test's.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { AnyConfig } from '../config/index.ts';
import { type ControlEvent, EventLoop } from './event-loop.ts';

const quietMs = 10;

class Scene {
  readonly acted: string[] = [];
  readonly loop: EventLoop;
  #now = 1000;
  #timers: { readonly at: number; readonly run: () => void }[] = [];
  #soon: (() => void)[] = [];

  constructor() {
    this.loop = new EventLoop({
      quietMs,
      clock: {
        now: () => this.#now,
        after: (ms, run) => {
          const timer = { at: this.#now + ms, run };
          this.#timers.push(timer);
          return () => {
            this.#timers = this.#timers.filter((other) => other !== timer);
          };
        },
        soon: (run) => void this.#soon.push(run),
      },
      act: (events) => void this.acted.push(events.map(nameOf).join(' ')),
    });
  }

  offer(...names: readonly string[]): this {
    for (const name of names) this.loop.offer(eventOf(name));
    return this;
  }

  /** What was put off until the present is done. */
  turn(): this {
    const due = this.#soon;
    this.#soon = [];
    for (const run of due) run();
    return this;
  }

  wait(ms: number): this {
    this.#now += ms;
    const due = this.#timers.filter(({ at }) => at <= this.#now);
    this.#timers = this.#timers.filter(({ at }) => at > this.#now);
    for (const { run } of due) run();
    return this;
  }
}

/** `pod…`, `slice…` and `member…` are endpoints, `mesh` is MeshConfig, `joined` and `left` are proxies. */
function eventOf(name: string): ControlEvent {
  if (name === 'mesh') return { kind: 'mesh-config', config: {} };
  if (name === 'joined') return { kind: 'proxy-joined' };
  if (name === 'left') return { kind: 'proxy-left' };
  const removed = name.split('+').map((part) => ({ kind: kindOf(part), namespace: 'default', name: part }));
  return { kind: 'update', source: 'test', update: { changed: [], removed, issues: [] } };
}

function kindOf(name: string): AnyConfig['kind'] {
  if (name.startsWith('pod')) return 'Pod';
  if (name.startsWith('slice')) return 'EndpointSlice';
  return name.startsWith('member') ? 'WorkloadEntry' : 'VirtualService';
}

function nameOf(event: ControlEvent): string {
  if (event.kind === 'update') return event.update.removed.map(({ name }) => name).join('+');
  return event.kind;
}

const cases: Readonly<Record<string, readonly [act: (scene: Scene) => unknown, acted: readonly string[]]>> = {
  'the first change is acted on at once': [(scene) => scene.offer('a'), ['a']],
  'those that follow are taken together': [
    (scene) => scene.offer('a', 'b', 'mesh', 'c').wait(quietMs),
    ['a', 'b mesh-config c'],
  ],
  'they do not wait longer for those that come later': [
    (scene) =>
      scene
        .offer('a', 'b')
        .wait(quietMs - 1)
        .offer('c')
        .wait(1),
    ['a', 'b c'],
  ],
  'after a calm moment a change is acted on at once again': [
    (scene) => scene.offer('a').wait(quietMs).offer('b'),
    ['a', 'b'],
  ],
  'endpoints do not wait for the quiet period': [
    (scene) => scene.offer('a', 'b', 'pod1').turn(),
    ['a', 'pod1'],
  ],
  'endpoints of one moment are taken together': [
    (scene) => scene.offer('pod1', 'slice1', 'member1').turn().offer('pod2').turn(),
    ['pod1 slice1 member1', 'pod2'],
  ],
  'endpoints go before what is acted on at the same time': [
    (scene) => scene.offer('pod1', 'a').turn(),
    ['pod1', 'a'],
  ],
  'endpoints do not end a calm moment': [
    (scene) => scene.offer('a').wait(quietMs).offer('pod1').turn().offer('b'),
    ['a', 'pod1', 'b'],
  ],
  'what comes together with other things stays together with them': [
    (scene) => scene.offer('a', 'pod1+b').turn().wait(quietMs),
    ['a', 'pod1+b'],
  ],
  'proxies that come or go do not wait, and not before their own turn is done': [
    (scene) => scene.offer('a', 'b', 'joined', 'left').turn(),
    ['a', 'proxy-joined proxy-left'],
  ],
  'flush acts on everything': [
    (scene) => {
      scene.offer('a', 'b', 'pod1').loop.flush();
      scene.turn().wait(quietMs);
    },
    ['a', 'pod1', 'b'],
  ],
  'nothing is acted on after the end': [
    (scene) => {
      scene.offer('a', 'b', 'pod1').loop.close();
      scene.turn().wait(quietMs);
    },
    ['a'],
  ],
};

for (const [name, [act, acted]] of Object.entries(cases))
  test(name, () => {
    const scene = new Scene();
    act(scene);
    assert.deepEqual(scene.acted, acted);
  });
