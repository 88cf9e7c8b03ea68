// Envoy's HeaderMatcher at work. A repeated header is compared line by line and any line may match; inverted,
// no line may.
import { unreachable } from '../../../base/index.ts';
import { type HeaderView, type RequestView, requestHeader } from '../../codec/http/request-view.ts';
import type { HeaderCondition, HeaderMatchPlan } from '../../plan/route/header-match.ts';
import { compiledOnce } from '../compiled.ts';
import { describeText, TextMatcher } from './string-match.ts';

export class HeaderMatcher {
  readonly #name: string;
  readonly #condition: HeaderCondition;
  readonly #text: TextMatcher | undefined;
  readonly #invert: boolean;
  readonly #missingIsEmpty: boolean;

  constructor({ name, condition, invert, missingIsEmpty }: HeaderMatchPlan) {
    this.#name = name;
    this.#condition = condition;
    this.#text = condition.kind === 'text' ? new TextMatcher(condition.text) : undefined;
    this.#invert = invert;
    this.#missingIsEmpty = missingIsEmpty;
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
    const matched = this.#holds(first ?? '') || (first !== undefined && this.#otherLine(headers));
    return matched !== this.#invert;
  }

  #otherLine(headers: HeaderView): boolean {
    if (this.#name.charCodeAt(0) === 58) return false;
    const lines = headers.getAll(this.#name);
    for (let i = 1; i < lines.length; i++) if (this.#holds(lines[i] ?? '')) return true;
    return false;
  }

  #holds(value: string): boolean {
    if (this.#text) return this.#text.test(value);
    return this.#condition.kind === 'range' && inRange(this.#condition, value);
  }
}

export const headerMatcher = compiledOnce((plan: HeaderMatchPlan) => new HeaderMatcher(plan));

function inRange({ start, end }: HeaderCondition & { kind: 'range' }, value: string): boolean {
  if (!/^[+-]?\d+$/.test(value)) return false;
  const number = Number(value);
  return number >= start && number < end;
}

function describe(condition: HeaderCondition): string {
  switch (condition.kind) {
    case 'present':
      return condition.present ? 'present' : 'absent';
    case 'text':
      return describeText(condition.text);
    case 'range':
      return `in [${condition.start}, ${condition.end})`;
    default:
      return unreachable(condition);
  }
}
