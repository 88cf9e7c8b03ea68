// Envoy's HeaderMatcher. A repeated header is compared line by line and any line may match; inverted, no line
// may.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-headermatcher
import type { HeaderMatcher as HeaderMatcherConfig } from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { compileRegex, neverMatches, type TextMatcher, textMatcher } from './regex.ts';
import type { HeaderView, RequestView } from './request-view.ts';
import { compileStringMatcher } from './string-match.ts';

interface Range {
  readonly start: number;
  readonly end: number;
}

type Condition =
  | { readonly kind: 'present'; readonly present: boolean }
  | { readonly kind: 'text'; readonly text: TextMatcher }
  | { readonly kind: 'range'; readonly range: Range };

export class HeaderMatcher {
  readonly #name: string;
  readonly #condition: Condition;
  readonly #invert: boolean;
  readonly #missingIsEmpty: boolean;

  constructor(name: string, condition: Condition, options: { invert: boolean; missingIsEmpty: boolean }) {
    this.#name = name;
    this.#condition = condition;
    this.#invert = options.invert;
    this.#missingIsEmpty = options.missingIsEmpty;
  }

  matchesRequest(request: RequestView): boolean {
    return this.#decide(requestHeader(request, this.#name), request);
  }

  /** For headers of a response; pseudo headers are ordinary names there. */
  matches(headers: HeaderView): boolean {
    return this.#decide(headers.get(this.#name), headers);
  }

  get description(): string {
    return `header ${this.#name} ${this.#invert ? 'not ' : ''}${describe(this.#condition)}`;
  }

  #decide(first: string | undefined, headers: HeaderView): boolean {
    const condition = this.#condition;
    if (condition.kind === 'present') {
      const present = first !== undefined || this.#missingIsEmpty;
      return (present === condition.present) !== this.#invert;
    }
    // Without treat_missing_header_as_empty an absent header fails the condition and its inverse alike.
    if (first === undefined && !this.#missingIsEmpty) return false;
    const matched =
      holds(condition, first ?? '') || (first !== undefined && this.#otherLine(condition, headers));
    return matched !== this.#invert;
  }

  #otherLine(condition: Condition, headers: HeaderView): boolean {
    if (this.#name.charCodeAt(0) === 58) return false;
    const lines = headers.getAll(this.#name);
    for (let i = 1; i < lines.length; i++) if (holds(condition, lines[i] ?? '')) return true;
    return false;
  }
}

/** Pseudo headers are read from the request's own fields; `host` means the authority. */
export function requestHeader(request: RequestView, name: string): string | undefined {
  if (name.charCodeAt(0) !== 58) return name === 'host' ? request.authority : request.get(name);
  switch (name) {
    case ':path':
      return request.path;
    case ':method':
      return request.method;
    case ':authority':
      return request.authority;
    case ':scheme':
      return request.scheme;
    default:
      return request.get(name);
  }
}

export function compileHeaderMatcher(config: HeaderMatcherConfig, problems: string[]): HeaderMatcher {
  if (config.name === '') problems.push('header matcher without a name');
  return new HeaderMatcher(config.name.toLowerCase(), compileCondition(config, problems), {
    invert: config.invertMatch,
    missingIsEmpty: config.treatMissingHeaderAsEmpty,
  });
}

function compileCondition(config: HeaderMatcherConfig, problems: string[]): Condition {
  const specifier = config.headerMatchSpecifier;
  switch (specifier.case) {
    case undefined:
      return { kind: 'present', present: true };
    case 'presentMatch':
      return { kind: 'present', present: specifier.value };
    case 'exactMatch':
      return { kind: 'text', text: textMatcher('exact', specifier.value, false) };
    case 'prefixMatch':
      return { kind: 'text', text: textMatcher('prefix', specifier.value, false) };
    case 'suffixMatch':
      return { kind: 'text', text: textMatcher('suffix', specifier.value, false) };
    case 'containsMatch':
      return { kind: 'text', text: textMatcher('contains', specifier.value, false) };
    case 'safeRegexMatch':
      return { kind: 'text', text: compileRegex(specifier.value, problems) };
    case 'stringMatch':
      return { kind: 'text', text: compileStringMatcher(specifier.value, problems) };
    case 'rangeMatch':
      return {
        kind: 'range',
        range: { start: Number(specifier.value.start), end: Number(specifier.value.end) },
      };
    default:
      return { kind: 'text', text: neverMatches };
  }
}

function holds(condition: Condition, value: string): boolean {
  if (condition.kind === 'text') return condition.text.test(value);
  if (condition.kind === 'present') return condition.present;
  if (!/^[+-]?\d+$/.test(value)) return false;
  const number = Number(value);
  return number >= condition.range.start && number < condition.range.end;
}

function describe(condition: Condition): string {
  switch (condition.kind) {
    case 'present':
      return condition.present ? 'present' : 'absent';
    case 'text':
      return condition.text.description;
    case 'range':
      return `in [${condition.range.start}, ${condition.range.end})`;
  }
}
