// The condition of one route, compiled: path first (cheap, decides most), then headers, query and the rare
// ones.
import { unreachable } from '../../../base/index.ts';
import type { RequestView } from '../../codec/http/request-view.ts';
import { asciiLower, wireText } from '../../codec/wire-text.ts';
import type { PathMatchPlan, RouteMatchPlan, TlsMatchPlan } from '../../plan/route/route-match.ts';
import type { RouteContext } from './decision.ts';
import { drawn } from './fraction.ts';
import { HeaderMatcher } from './header-match.ts';
import { type MetadataMatcher, metadataMatcher } from './metadata-match.ts';
import { QueryMatcher } from './query-match.ts';
import { TextMatcher } from './string-match.ts';

export class RouteMatch {
  readonly #plan: RouteMatchPlan;
  readonly #kind: PathMatchPlan['kind'];
  readonly #ignoreCase: boolean;
  /** The prefix or path as it is compared; empty for a regex. */
  readonly #path: string;
  readonly #regex: TextMatcher | undefined;
  readonly #headers: readonly HeaderMatcher[];
  readonly #query: readonly QueryMatcher[];
  readonly #metadata: readonly MetadataMatcher[];
  readonly #pathOnly: boolean;

  constructor(plan: RouteMatchPlan) {
    const { kind, text, ignoreCase } = plan.path;
    this.#plan = plan;
    this.#kind = kind;
    this.#ignoreCase = ignoreCase;
    this.#path = ignoreCase ? asciiLower(wireText(text)) : wireText(text);
    this.#regex = kind === 'regex' ? new TextMatcher({ kind, text, ignoreCase }) : undefined;
    this.#headers = plan.headers.map((header) => new HeaderMatcher(header));
    this.#query = plan.query.map((query) => new QueryMatcher(query));
    this.#metadata = plan.metadata.map(metadataMatcher);
    this.#pathOnly = isPathOnly(plan);
  }

  /** `pathEnd` is where the path stops and its query begins. */
  matches(request: RequestView, pathEnd: number, context: RouteContext): boolean {
    return (
      this.#matchesPath(request, pathEnd) &&
      (this.#pathOnly || this.#firstFailure(request, context) === undefined)
    );
  }

  /** The first condition that fails, in words; undefined on a match. */
  explain(request: RequestView, pathEnd: number, context: RouteContext): string | undefined {
    if (!this.#matchesPath(request, pathEnd))
      return `${this.description} does not match ${JSON.stringify(request.path)}`;
    return this.#firstFailure(request, context)?.();
  }

  get description(): string {
    const { kind, text, ignoreCase } = this.#plan.path;
    if (kind === 'connect') return 'method CONNECT';
    const condition = `${kind} ${JSON.stringify(text)}${ignoreCase ? ' ignoring case' : ''}`;
    return kind === 'regex' ? `path ${condition}` : condition;
  }

  #matchesPath(request: RequestView, end: number): boolean {
    const subject = this.#ignoreCase ? asciiLower(request.path) : request.path;
    const text = this.#path;
    switch (this.#kind) {
      case 'prefix':
        return text.length <= end && startsWith(subject, text);
      case 'path':
        return text.length === end && startsWith(subject, text);
      case 'separatedPrefix':
        return (
          text.length <= end &&
          startsWith(subject, text) &&
          (text.length === end || subject.charCodeAt(text.length) === 47)
        );
      case 'regex':
        return this.#regex?.test(end === subject.length ? subject : subject.slice(0, end)) ?? false;
      case 'connect':
        return request.method === 'CONNECT';
      case 'none':
        return false;
      default:
        return unreachable(this.#kind);
    }
  }

  // Returns why in a closure, so that the words are made only when somebody asks.
  #firstFailure(request: RequestView, context: RouteContext): (() => string) | undefined {
    const { grpc, tls, fraction } = this.#plan;
    for (const header of this.#headers)
      if (!header.matchesRequest(request)) return () => `${header.description} does not hold`;
    for (const query of this.#query)
      if (!query.matches(request.path)) return () => `${query.description} does not hold`;
    if (grpc && !isGrpc(request)) return () => 'not a gRPC request';
    if (tls && !matchesTls(tls, context)) return () => 'client certificate state differs';
    for (const matcher of this.#metadata)
      if (!matcher(context.metadata)) return () => 'dynamic metadata does not match';
    if (!drawn(fraction, context.random)) return () => `not in the fraction of ${fraction * 100}%`;
    return undefined;
  }
}

/** `application/grpc`, alone or with a suffix such as `+proto`. */
export function isGrpc(request: { get(name: string): string | undefined }): boolean {
  const type = request.get('content-type');
  if (type === undefined || !type.startsWith('application/grpc')) return false;
  return type.length === 16 || type.charCodeAt(16) === 43 || type.charCodeAt(16) === 59;
}

// From the end, where the prefixes of one host differ; several times faster than String.startsWith over a
// list of them.
function startsWith(subject: string, text: string): boolean {
  for (let i = text.length - 1; i >= 0; i--) if (subject.charCodeAt(i) !== text.charCodeAt(i)) return false;
  return true;
}

function isPathOnly(c: RouteMatchPlan): boolean {
  return (
    c.headers.length === 0 &&
    c.query.length === 0 &&
    !c.grpc &&
    c.tls === undefined &&
    c.metadata.length === 0 &&
    c.fraction >= 1
  );
}

function matchesTls(wanted: TlsMatchPlan, context: RouteContext): boolean {
  const presented = context.tls?.presented ?? false;
  const validated = context.tls?.validated ?? false;
  return (wanted.presented ?? presented) === presented && (wanted.validated ?? validated) === validated;
}
