// Subject alternative names of a certificate, and matching them against what configuration expects.

import type { CertificateValidationContext } from '@meltemi/envoy-api/envoy/extensions/transport_sockets/tls/v3/common';
import type { StringMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/string';
import { compileStringMatcher } from '../decide/route/index.ts';

export interface PeerNames {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly others: readonly string[];
}

export type SanCheck = (names: PeerNames) => boolean;

/** Node prints `URI:spiffe://a, DNS:b, IP Address:1.2.3.4`, quoting as JSON what could be misread. */
export function readSans(text: string | undefined): PeerNames {
  const uris: string[] = [];
  const dns: string[] = [];
  const others: string[] = [];
  for (const match of (text ?? '').matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const value = unquote(match[2] ?? '');
    const into = match[1] === 'URI' ? uris : match[1] === 'DNS' ? dns : others;
    into.push(value);
  }
  return { uris, dns, others };
}

function unquote(text: string): string {
  if (!text.startsWith('"')) return text;
  try {
    return String(JSON.parse(text));
  } catch {
    return '';
  }
}

/** Any name may fit any matcher; without matchers every certificate of the trusted roots is good. */
export function compileSanCheck(
  contexts: readonly (CertificateValidationContext | undefined)[],
  problems: string[],
): SanCheck | undefined {
  const tests: SanCheck[] = [];
  for (const context of contexts) {
    for (const matcher of context?.matchSubjectAltNames ?? []) tests.push(anyName(matcher, problems));
    for (const typed of context?.matchTypedSubjectAltNames ?? [])
      if (typed.matcher) tests.push(typedName(typed.sanType, typed.matcher, problems));
  }
  if (tests.length === 0) return undefined;
  return (names) => tests.some((test) => test(names));
}

function anyName(matcher: StringMatcher, problems: string[]): SanCheck {
  const test = compileStringMatcher(matcher, problems);
  const exact = matcher.matchPattern.case === 'exact' ? matcher.matchPattern.value : undefined;
  return (names) =>
    names.uris.some((name) => test.test(name)) ||
    names.others.some((name) => test.test(name)) ||
    names.dns.some((name) => test.test(name) || (exact !== undefined && dnsCovers(name, exact)));
}

const dnsType = 2;
const uriType = 3;

function typedName(type: number, matcher: StringMatcher, problems: string[]): SanCheck {
  const any = anyName(matcher, problems);
  if (type === dnsType) return (names) => any({ uris: [], dns: names.dns, others: [] });
  if (type === uriType) return (names) => any({ uris: names.uris, dns: [], others: [] });
  return (names) => any({ uris: [], dns: [], others: names.others });
}

/** A wildcard of the certificate stands for one label (RFC 6125 section 6.4.3). */
function dnsCovers(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern.toLowerCase() === host.toLowerCase();
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot).toLowerCase() === pattern.slice(1).toLowerCase();
}
