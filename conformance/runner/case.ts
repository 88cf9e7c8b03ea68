// What a conformance case is: the types of its file. conformance/README.md explains each field.

export interface Client {
  readonly kind?: 'sidecar' | 'gateway';
  readonly direction?: 'inbound';
  readonly name?: string;
  readonly namespace?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly serviceAccount?: string;
  /** `region/zone/subzone`. */
  readonly locality?: string;
  /** Added to the node metadata that the proxy sends. */
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** How an endpoint answers; without any of these it says 200 and repeats its address and the path. */
export interface Behaviour {
  readonly status?: number;
  /** One for each hit, the last for all that follow. */
  readonly statuses?: readonly number[];
  readonly delayMs?: number;
  readonly reset?: boolean;
  readonly refuse?: boolean;
  readonly greet?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly rawTls?: boolean;
}

export interface ClientTls {
  readonly sni?: string;
  readonly alpn?: readonly string[];
  readonly mesh?: boolean;
  readonly key?: string;
  readonly cert?: string;
}

export type HeaderValues = Readonly<Record<string, string | readonly string[]>>;

export interface Request {
  readonly name: string;
  readonly connect: string;
  readonly host?: string;
  readonly method?: string;
  readonly path?: string;
  readonly headers?: HeaderValues;
  readonly body?: string;
  readonly version?: '2';
  readonly tls?: ClientTls;
  readonly tcp?: string;
  readonly count?: number;
  readonly concurrency?: number;
  readonly gapMs?: number;
  readonly waitMs?: number;
  readonly timeoutMs?: number;
  readonly settleMs?: number;
  readonly observe?: Observe;
  readonly compare?: Compare;
  readonly expect: Outcome;
  readonly ours?: Outcome;
  /** As `ours`, on the embedded proxy alone: what it cannot do. */
  readonly oursEmbedded?: Outcome;
}

export interface Observe {
  readonly requestHeaders?: readonly string[];
  readonly responseHeaders?: readonly string[];
  readonly responseBody?: boolean;
  readonly trailers?: boolean;
  readonly time?: boolean;
}

export type CountRule = 'set' | 'share' | 'exact' | 'one' | 'subset';

export interface Compare {
  readonly upstreams?: CountRule;
  readonly statuses?: CountRule;
  readonly mirrored?: CountRule;
  readonly hits?: 'any' | number | readonly [number, number];
}

export type Counts = Readonly<Record<string, number>>;

/** What became of a request, recorded or observed. */
export interface Outcome {
  readonly status?: number;
  readonly error?: string;
  readonly statuses?: Counts;
  readonly tcp?: string;
  readonly hits?: number;
  readonly upstreams?: Counts;
  readonly protocol?: unknown;
  readonly method?: unknown;
  readonly path?: unknown;
  readonly host?: unknown;
  readonly body?: unknown;
  readonly tls?: unknown;
  readonly requestHeaders?: Readonly<Record<string, unknown>>;
  readonly responseHeaders?: Readonly<Record<string, unknown>>;
  readonly responseBody?: string;
  readonly trailers?: unknown;
  readonly upgraded?: boolean;
  readonly mirrored?: Counts;
  readonly mirroredHost?: unknown;
  readonly mirroredPath?: unknown;
  readonly ms?: Timing;
}

export interface Timing {
  readonly min: number;
  readonly median: number;
  readonly max: number;
}

export interface Case {
  /** `FOLDER/NAME`, what baselines and filters go by. */
  readonly name: string;
  readonly folder: string;
  readonly about: string;
  readonly client: Client;
  readonly mesh: Readonly<Record<string, unknown>>;
  readonly config: string;
  readonly upstreams: Readonly<Record<string, Behaviour>>;
  readonly dns: Readonly<Record<string, readonly string[]>>;
  /** Listened on by the servers, beside those that configuration and requests name. */
  readonly ports: readonly number[];
  readonly serverIdentity: string;
  readonly rejected?: string;
  readonly nacks?: unknown;
  readonly settleMs?: number;
  readonly requests: readonly Request[];
}
