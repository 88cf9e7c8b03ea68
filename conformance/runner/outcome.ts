// Puts what the client got and what the servers saw together into one outcome, in the form that the cases
// record.
import type { Counts, Outcome, Request, Timing } from './case.ts';

/** What one request brought back to the client. */
export interface Answer {
  readonly ms: number;
  readonly status?: number;
  readonly error?: string;
  readonly tcp?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string;
  readonly trailers?: Readonly<Record<string, unknown>>;
  readonly upgraded?: boolean;
}

/** What one request looked like to the server that it reached. */
export interface Hit {
  readonly address: string;
  readonly protocol: string;
  readonly method?: string;
  readonly path?: string;
  readonly host?: string;
  readonly headers?: Readonly<Record<string, unknown>>;
  readonly body?: string;
  readonly tls?: { readonly sni?: string; readonly alpn?: string; readonly clientCert?: string };
}

export function outcomeOf(request: Request, answers: readonly Answer[], hits: readonly Hit[]): Outcome {
  const isShadow = (hit: Hit): boolean => (hit.host ?? '').includes('-shadow');
  return {
    ...resultOf(answers),
    ...reachedOf(
      request,
      hits.filter((hit) => !isShadow(hit)),
    ),
    ...mirroredOf(hits.filter(isShadow)),
    ...observedOf(request, answers),
  };
}

function resultOf(answers: readonly Answer[]): Outcome {
  const results = answers.map(
    (answer) => answer.status ?? answer.error ?? (answer.tcp === undefined ? 'none' : 'tcp'),
  );
  const [only, ...others] = distinct(results);
  if (others.length > 0) return { statuses: countsOf(results.map(String)) };
  if (typeof only === 'number') return { status: only };
  if (only === 'tcp') return { tcp: answers[0]?.tcp ?? '' };
  return { error: only ?? 'none' };
}

function reachedOf(request: Request, hits: readonly Hit[]): Outcome {
  if (hits.length === 0) return { hits: 0 };
  const wanted = request.observe?.requestHeaders ?? [];
  const fields = {
    protocol: shared(hits, (hit) => hit.protocol),
    method: shared(hits, (hit) => hit.method),
    path: shared(hits, (hit) => hit.path),
    host: shared(hits, (hit) => hit.host),
    ...(request.body === undefined ? {} : { body: shared(hits, (hit) => hit.body) }),
    tls: shared(hits, (hit) => hit.tls),
    ...(wanted.length === 0
      ? {}
      : {
          requestHeaders: Object.fromEntries(
            wanted.map((name) => [name, shared(hits, (hit) => hit.headers?.[name] ?? null)]),
          ),
        }),
  };
  const present = Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
  return { hits: hits.length, upstreams: countsOf(hits.map((hit) => hit.address)), ...present };
}

function mirroredOf(hits: readonly Hit[]): Outcome {
  if (hits.length === 0) return {};
  return {
    mirrored: countsOf(hits.map((hit) => hit.address)),
    mirroredHost: distinct(hits.map((hit) => hit.host)),
    mirroredPath: distinct(hits.map((hit) => hit.path)),
  };
}

function observedOf({ observe = {} }: Request, answers: readonly Answer[]): Outcome {
  const first = answers[0];
  const headers = observe.responseHeaders ?? [];
  return {
    ...(headers.length > 0
      ? { responseHeaders: Object.fromEntries(headers.map((name) => [name, first?.headers?.[name] ?? null])) }
      : {}),
    ...(observe.responseBody && first?.body !== undefined ? { responseBody: first.body } : {}),
    ...(observe.trailers && first?.trailers ? { trailers: first.trailers } : {}),
    ...(answers.some((answer) => answer.upgraded) ? { upgraded: true } : {}),
    ...(observe.time ? { ms: timingOf(answers) } : {}),
  };
}

function timingOf(answers: readonly Answer[]): Timing {
  const sorted = answers.map((answer) => answer.ms).sort((a, b) => a - b);
  return { min: sorted[0] ?? 0, median: sorted[sorted.length >> 1] ?? 0, max: sorted.at(-1) ?? 0 };
}

/** The value that all hits agree on, or the list of different ones; undefined when none has any. */
function shared(hits: readonly Hit[], field: (hit: Hit) => unknown): unknown {
  const texts = distinct(
    hits
      .map(field)
      .filter((value) => value !== undefined)
      .map((value) => JSON.stringify(value)),
  );
  const values = texts.map((text): unknown => JSON.parse(text));
  return values.length > 1 ? values : values[0];
}

function distinct<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)].sort();
}

function countsOf(keys: readonly string[]): Counts {
  const counts = new Map<string, number>();
  for (const key of keys) counts.set(key, (counts.get(key) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a], [b]) => (a < b ? -1 : 1)));
}
