// An xDS server of listeners that a test sets one by one, some of them such that Envoy refuses them. It
// serves no clusters.
import assert from 'node:assert/strict';
import { create } from '@bufbuild/protobuf';
import { anyPack } from '@bufbuild/protobuf/wkt';
import { type Listener, ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { RouterSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/router/v3/router';
import { HttpConnectionManagerSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import { type Input, MemoEngine } from '../../src/base/index.ts';
import { type EncodedResource, encodeResource } from '../../src/translate/index.ts';
import {
  type ConnectionEvents,
  discoveryServices,
  Feed,
  FeedHub,
  type GrpcServer,
  type Session,
  startGrpcServer,
} from '../../src/xds/index.ts';

export interface ListenerPlan {
  readonly port: number;
  /** What it answers every request with. */
  readonly body: string;
  readonly isBroken?: boolean;
}

export interface ListenersAnswer {
  readonly kind: 'acknowledged' | 'refused';
  /** What was refused. */
  readonly names?: readonly string[];
}

export class ListenerServer {
  readonly #engine = new MemoEngine();
  readonly #hub = new FeedHub();
  readonly #names = this.#engine.input<readonly string[]>([]);
  readonly #plans = new Map<string, Input<ListenerPlan | undefined>>();
  readonly #sessions = new Set<Session>();
  readonly #answers: ListenersAnswer[] = [];
  readonly #listeners: Feed;
  readonly #clusters: Feed;
  #server: GrpcServer | undefined;
  #onAnswer = (): void => {};

  constructor() {
    this.#listeners = new Feed(this.#hub, {
      type: 'listener',
      names: this.#engine.derive<readonly string[]>('names', () => this.#names.get()),
      resource: (name) =>
        this.#engine.derive<EncodedResource | undefined>('listener', () =>
          encoded(name, this.#plan(name).get()),
        ),
    });
    this.#clusters = new Feed(this.#hub, {
      type: 'cluster',
      names: this.#engine.derive<readonly string[]>('none', () => []),
      resource: () => this.#engine.derive<EncodedResource | undefined>('none', () => undefined),
    });
  }

  static async start(): Promise<ListenerServer> {
    const server = new ListenerServer();
    server.#server = await startGrpcServer({
      address: '127.0.0.1:0',
      services: discoveryServices(() => server.#connection()),
      failed: (error) => assert.fail(String(error)),
    });
    return server;
  }

  get address(): string {
    return this.#server?.address ?? '';
  }

  async close(): Promise<void> {
    await this.#server?.close();
  }

  set(plans: Readonly<Record<string, ListenerPlan>>): void {
    for (const [name, plan] of Object.entries(plans)) this.#plan(name).set(plan);
    this.#names.set([...new Set([...this.#names.get(), ...Object.keys(plans)])]);
    this.#hub.process(this.#engine.takeTouched());
    for (const session of this.#sessions) session.flush();
  }

  /** The next answer to listeners. */
  async answered(): Promise<ListenersAnswer> {
    for (;;) {
      const answer = this.#answers.shift();
      if (answer) return answer;
      await new Promise<void>((resolve) => {
        this.#onAnswer = resolve;
      });
    }
  }

  #connection(): ConnectionEvents {
    return {
      identify: (_node, { session }) => {
        this.#sessions.add(session);
        return {
          feed: (type) => {
            if (type === 'listener') return this.#listeners;
            return type === 'cluster' ? this.#clusters : undefined;
          },
        };
      },
      acknowledged: (type) => this.#note(type, { kind: 'acknowledged' }),
      refused: (type, resources) =>
        this.#note(type, { kind: 'refused', names: resources.map(({ name }) => name) }),
      failed: (error) => assert.fail(String(error)),
      closed: ({ session }) => void this.#sessions.delete(session),
    };
  }

  #note(type: string, answer: ListenersAnswer): void {
    if (type !== 'listener') return;
    this.#answers.push(answer);
    this.#onAnswer();
  }

  #plan(name: string): Input<ListenerPlan | undefined> {
    let plan = this.#plans.get(name);
    plan ??= this.#engine.input<ListenerPlan | undefined>(undefined);
    this.#plans.set(name, plan);
    return plan;
  }
}

function encoded(name: string, plan: ListenerPlan | undefined): EncodedResource | undefined {
  return plan && encodeResource(ListenerSchema, name, listenerOf(name, plan));
}

function listenerOf(name: string, { port, body, isBroken }: ListenerPlan): Listener {
  const router = {
    name: 'router',
    configType: { case: 'typedConfig', value: anyPack(RouterSchema, create(RouterSchema)) },
  } as const;
  const manager = create(HttpConnectionManagerSchema, {
    statPrefix: name,
    routeSpecifier: {
      case: 'routeConfig',
      value: {
        virtualHosts: [
          {
            name: 'all',
            domains: ['*'],
            routes: [
              {
                match: { pathSpecifier: { case: 'prefix', value: '/' } },
                action: {
                  case: 'directResponse',
                  value: { status: 200, body: { specifier: { case: 'inlineString', value: body } } },
                },
              },
            ],
          },
        ],
      },
    },
    // The router must be the last filter, and once.
    httpFilters: isBroken ? [router, { ...router, name: 'again' }] : [router],
  });
  return create(ListenerSchema, {
    name,
    address: {
      address: {
        case: 'socketAddress',
        value: { address: '127.0.0.1', portSpecifier: { case: 'portValue', value: port } },
      },
    },
    filterChains: [
      {
        filters: [
          {
            name: 'http',
            configType: { case: 'typedConfig', value: anyPack(HttpConnectionManagerSchema, manager) },
          },
        ],
      },
    ],
  });
}
