// State-of-the-world xDS over one stream: subscriptions, versions, nonces, acknowledgement and refusal,
// reconnection.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import type { Node } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import {
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';

export interface ByteStream {
  send(message: Uint8Array): void;
  end(): void;
}

export interface ByteStreamEvents {
  onMessage(message: Uint8Array): void;
  /** Called once, whatever ended the stream. */
  onClosed(detail: string): void;
}

export type OpenStream = (events: ByteStreamEvents) => ByteStream;

/**
 * Takes what a response holds; returns what is wrong with it, one line a refused resource, nothing when all
 * is well.
 */
export type ApplyResources = (resources: readonly Any[], version: string) => readonly string[];

export interface SotwTimers {
  after(ms: number, run: () => void): { cancel(): void };
  random(): number;
}

export interface SotwOptions {
  readonly open: OpenStream;
  readonly node: Node;
  readonly timers: SotwTimers;
  /** Lost, accepted, refused: for logs and counters. */
  readonly note?: (event: SotwEvent) => void;
}

export type SotwEvent =
  | { readonly kind: 'lost'; readonly detail: string; readonly retryMs: number }
  | { readonly kind: 'accepted'; readonly typeUrl: string; readonly version: string }
  | {
      readonly kind: 'refused';
      readonly typeUrl: string;
      readonly version: string;
      readonly problems: readonly string[];
    };

interface Subscription {
  readonly typeUrl: string;
  readonly apply: ApplyResources;
  names: readonly string[];
  version: string;
  nonce: string;
  /** Something was asked on the current stream. */
  asked: boolean;
}

const baseBackoffMs = 500;
const maxBackoffMs = 30_000;
/** google.rpc.Code.INVALID_ARGUMENT, what Envoy sends. */
const invalidArgument = 3;

export class SotwClient {
  readonly #options: SotwOptions;
  readonly #subscriptions = new Map<string, Subscription>();
  #stream: ByteStream | undefined;
  #nodeSent = false;
  #failures = 0;
  #retry: { cancel(): void } | undefined;
  #stopped = false;

  constructor(options: SotwOptions) {
    this.#options = options;
  }

  start(): void {
    this.#connect();
  }

  stop(): void {
    this.#stopped = true;
    this.#retry?.cancel();
    const stream = this.#stream;
    this.#stream = undefined;
    stream?.end();
  }

  /** Subscribes to a type, to everything of it when there are no names. */
  subscribe(typeUrl: string, names: readonly string[], apply: ApplyResources): void {
    const subscription: Subscription = { typeUrl, apply, names, version: '', nonce: '', asked: false };
    this.#subscriptions.set(typeUrl, subscription);
    this.#send(subscription);
  }

  /** Changes the names of a type; nothing is sent when they stay the same. */
  rename(typeUrl: string, names: readonly string[]): void {
    const subscription = this.#subscriptions.get(typeUrl);
    if (!subscription || (subscription.asked && sameNames(subscription.names, names))) return;
    subscription.names = names;
    this.#send(subscription);
  }

  #connect(): void {
    if (this.#stopped) return;
    this.#nodeSent = false;
    for (const subscription of this.#subscriptions.values()) {
      subscription.nonce = '';
      subscription.asked = false;
    }
    let current: ByteStream | undefined;
    let closed = false;
    current = this.#options.open({
      onMessage: (message) => {
        if (!closed && !this.#stopped) this.#received(message);
      },
      onClosed: (detail) => {
        if (closed) return;
        closed = true;
        if (current === undefined || this.#stream === current) this.#lost(detail);
      },
    });
    if (closed) return;
    this.#stream = current;
    for (const subscription of this.#subscriptions.values()) this.#send(subscription);
  }

  #lost(detail: string): void {
    this.#stream = undefined;
    if (this.#stopped) return;
    const window = Math.min(maxBackoffMs, baseBackoffMs * 2 ** Math.min(this.#failures++, 10));
    const retryMs = Math.round(window * (0.5 + this.#options.timers.random() / 2));
    this.#options.note?.({ kind: 'lost', detail, retryMs });
    this.#retry = this.#options.timers.after(retryMs, () => this.#connect());
  }

  #received(message: Uint8Array): void {
    let response: DiscoveryResponse;
    try {
      response = fromBinary(DiscoveryResponseSchema, message);
    } catch {
      // Without a type there is nothing that could be refused by name; a new stream starts from known ground.
      this.#stream?.end();
      this.#lost('undecodable response');
      return;
    }
    if (this.#failures > 0) this.#failures = 0;
    const subscription = this.#subscriptions.get(response.typeUrl);
    if (!subscription) return;
    subscription.nonce = response.nonce;
    const problems = this.#apply(subscription, response);
    if (problems.length === 0) {
      subscription.version = response.versionInfo;
      this.#options.note?.({ kind: 'accepted', typeUrl: response.typeUrl, version: response.versionInfo });
    } else
      this.#options.note?.({
        kind: 'refused',
        typeUrl: response.typeUrl,
        version: response.versionInfo,
        problems,
      });
    this.#send(subscription, problems);
  }

  #apply(subscription: Subscription, response: DiscoveryResponse): readonly string[] {
    try {
      return subscription.apply(response.resources, response.versionInfo);
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  }

  #send(subscription: Subscription, problems: readonly string[] = []): void {
    if (!this.#stream) return;
    subscription.asked = true;
    const request = create(DiscoveryRequestSchema, {
      versionInfo: subscription.version,
      typeUrl: subscription.typeUrl,
      resourceNames: [...subscription.names],
      responseNonce: subscription.nonce,
      ...(this.#nodeSent ? {} : { node: this.#options.node }),
      ...(problems.length === 0
        ? {}
        : { errorDetail: { code: invalidArgument, message: problems.join('\n') } }),
    });
    this.#nodeSent = true;
    this.#stream.send(toBinary(DiscoveryRequestSchema, request));
  }
}

function sameNames(a: readonly string[], b: readonly string[]): boolean {
  if (a.length !== b.length) return false;
  const names = new Set(a);
  return b.every((name) => names.has(name));
}
