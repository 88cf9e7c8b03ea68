// Text conditions and regular expressions of users. Every pattern runs in linear time: RE2 semantics, never
// the host's backtracking engine.

import type { RegexMatchAndSubstitute, RegexMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/regex';
import { RE2JS } from 're2js';
import { asciiLower, configuredText, wireText } from './wire-text.ts';

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
  /** The condition in words, for people. */
  readonly description: string;

  constructor(
    kind: Kind,
    text: string,
    options: { ignoreCase?: boolean; regex?: RE2JS; description: string },
  ) {
    this.#kind = kind;
    this.#ignoreCase = options.ignoreCase ?? false;
    this.#text = this.#ignoreCase ? asciiLower(text) : text;
    this.#regex = options.regex;
    this.description = options.description + (this.#ignoreCase ? ' ignoring case' : '');
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

export const neverMatches = new TextMatcher(Kind.never, '', { description: 'nothing (invalid matcher)' });

export function textMatcher(
  kind: 'exact' | 'prefix' | 'suffix' | 'contains',
  text: string,
  ignoreCase: boolean,
): TextMatcher {
  return new TextMatcher(Kind[kind], wireText(text), {
    ignoreCase,
    description: `${kind} ${JSON.stringify(text)}`,
  });
}

/** A whole-text match, as Envoy matches `safe_regex`. An invalid pattern is reported and matches nothing. */
export function compileRegex(matcher: RegexMatcher | undefined, problems: string[]): TextMatcher {
  const pattern = matcher?.regex ?? '';
  const description = `regex ${JSON.stringify(pattern)}`;
  const regex = parsePattern(pattern, problems);
  if (!regex) return neverMatches;
  const simple = simplePattern(pattern);
  return simple
    ? new TextMatcher(simple.kind, simple.text, { description })
    : new TextMatcher(Kind.regex, '', { regex, description });
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

/** RE2's `GlobalReplace` with `\0`-`\9` in the substitution. */
export type Substitution = (text: string) => string;

export function compileSubstitution(
  rewrite: RegexMatchAndSubstitute | undefined,
  problems: string[],
): Substitution {
  const regex = parsePattern(rewrite?.pattern?.regex ?? '', problems);
  const substitution = configuredText(rewrite?.substitution ?? '', 'substitution', problems);
  const pieces = parseSubstitution(substitution, regex?.groupCount() ?? 0, problems);
  if (!regex || !pieces) return (text) => text;
  return (text) => replaceAll(regex, pieces, text);
}

function replaceAll(regex: RE2JS, pieces: readonly (string | number)[], text: string): string {
  const matcher = regex.matcher(text);
  let out = '';
  let end = 0;
  let first = true;
  while (matcher.find()) {
    // RE2 takes no empty match right behind another match.
    if (!first && matcher.start() === matcher.end() && matcher.start() === end) continue;
    first = false;
    out += text.slice(end, matcher.start());
    for (const piece of pieces) out += typeof piece === 'string' ? piece : (matcher.group(piece) ?? '');
    end = matcher.end();
  }
  return out + text.slice(end);
}

function parseSubstitution(
  text: string,
  groups: number,
  problems: string[],
): readonly (string | number)[] | undefined {
  const pieces: (string | number)[] = [];
  for (const [whole, escaped] of text.matchAll(/\\(.?)|[^\\]+/gs)) {
    if (escaped === undefined) pieces.push(whole);
    else if (escaped === '\\') pieces.push('\\');
    else if (/\d/.test(escaped) && Number(escaped) <= groups) pieces.push(Number(escaped));
    else {
      problems.push(`substitution ${JSON.stringify(text)}: "${whole}" names no group of the pattern`);
      return undefined;
    }
  }
  return pieces;
}

// Envoy's default limit on the program of one RE2 pattern is far higher; this one bounds what a tenant can
// make us hold.
const longestPattern = 4096;

function parsePattern(pattern: string, problems: string[]): RE2JS | undefined {
  if (pattern.length > longestPattern) {
    problems.push(`regex of ${pattern.length} characters is longer than ${longestPattern}`);
    return undefined;
  }
  try {
    // Subjects are bytes, one a character: so is the pattern, as Envoy's RE2 sees both.
    return RE2JS.compile(wireText(pattern));
  } catch (error) {
    problems.push(
      `invalid regex ${JSON.stringify(pattern)}: ${error instanceof Error ? error.message : String(error)}`,
    );
    return undefined;
  }
}
