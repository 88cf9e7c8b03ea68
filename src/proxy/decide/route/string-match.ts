// Conditions on a text, compiled.
import type { RE2JS } from 're2js';
import { asciiLower, wireText } from '../../codec/wire-text.ts';
import type { StringMatchPlan } from '../../plan/route/string-match.ts';
import { compiledOnce } from '../compiled.ts';
import { compilePattern } from './regex.ts';

const Kind = {
  never: 0,
  any: 1,
  nonEmpty: 2,
  exact: 3,
  prefix: 4,
  suffix: 5,
  contains: 6,
  regex: 7,
} as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** One compiled condition on a text. A single class for all kinds, so that call sites stay monomorphic. */
export class TextMatcher {
  readonly #kind: Kind;
  readonly #text: string;
  readonly #ignoreCase: boolean;
  readonly #regex: RE2JS | undefined;

  constructor({ kind, text, ignoreCase }: StringMatchPlan) {
    const simple = kind === 'regex' ? simplePattern(text) : { kind: Kind[kind], text: wireText(text) };
    this.#kind = simple?.kind ?? Kind.regex;
    this.#ignoreCase = ignoreCase;
    this.#text = ignoreCase ? asciiLower(simple?.text ?? '') : (simple?.text ?? '');
    this.#regex = simple ? undefined : compilePattern(text);
  }

  test(value: string): boolean {
    const subject = this.#ignoreCase ? asciiLower(value) : value;
    switch (this.#kind) {
      case Kind.exact:
        return subject === this.#text;
      case Kind.prefix:
        return subject.startsWith(this.#text);
      case Kind.suffix:
        return subject.endsWith(this.#text);
      case Kind.contains:
        return subject.includes(this.#text);
      case Kind.regex:
        return this.#regex?.testExact(subject) ?? false;
      case Kind.any:
        return true;
      case Kind.nonEmpty:
        return subject.length > 0;
      default:
        return false;
    }
  }
}

export const textMatcher = compiledOnce((plan: StringMatchPlan) => new TextMatcher(plan));

/** The condition in words, for people. */
export function describeText({ kind, text, ignoreCase }: StringMatchPlan): string {
  if (kind === 'never') return 'nothing (invalid matcher)';
  return `${kind} ${JSON.stringify(text)}${ignoreCase ? ' ignoring case' : ''}`;
}

// The dot of RE2 refuses only the line feed, which no header or path can hold.
function simplePattern(pattern: string): { kind: Kind; text: string } | undefined {
  if (pattern === '.*') return { kind: Kind.any, text: '' };
  if (pattern === '.+') return { kind: Kind.nonEmpty, text: '' };
  const parts = /^(\.\*)?((?:[\w/=@:;,~ -]|\\[./?+*()[\]{}^$|-])*)(\.\*)?$/.exec(pattern);
  if (!parts) return undefined;
  const text = (parts[2] ?? '').replace(/\\(.)/g, '$1');
  if (parts[1]) return { kind: parts[3] ? Kind.contains : Kind.suffix, text };
  return { kind: parts[3] ? Kind.prefix : Kind.exact, text };
}
