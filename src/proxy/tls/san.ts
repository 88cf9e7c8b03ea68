// Subject alternative names of a certificate, and matching them against what configuration expects.

import { unreachable } from '../../base/index.ts';
import type { PeerNames } from '../decide/connection-info.ts';
import { TextMatcher } from '../decide/route/string-match.ts';
import type { NameMatchPlan } from '../plan/tls/validation-plan.ts';

export type SanCheck = (names: PeerNames) => boolean;

/** Node prints `URI:spiffe://a, DNS:b, IP Address:1.2.3.4`, quoting as JSON what could be misread. */
export function readSans(text: string | undefined): PeerNames {
  const uris: string[] = [];
  const dns: string[] = [];
  const others: string[] = [];
  for (const match of (text ?? '').matchAll(/(?:^|, )([A-Za-z ]+):("(?:[^"\\]|\\.)*"|[^,]*)/g)) {
    const value = unquote(match[2] ?? '');
    if (match[1] === 'URI') uris.push(value);
    else if (match[1] === 'DNS') dns.push(value);
    else others.push(value);
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
export function sanCheck(plans: readonly NameMatchPlan[]): SanCheck | undefined {
  if (plans.length === 0) return undefined;
  const tests = plans.map(checkOf);
  return (names) => tests.some((test) => test(names));
}

function checkOf({ type, matcher }: NameMatchPlan): SanCheck {
  const test = new TextMatcher(matcher);
  const exact = matcher.kind === 'exact' ? matcher.text : undefined;
  const inDns = (name: string): boolean => test.test(name) || (exact !== undefined && dnsCovers(name, exact));
  const inOthers = (name: string): boolean => test.test(name);
  switch (type) {
    case 'dns':
      return (names) => names.dns.some(inDns);
    case 'uri':
      return (names) => names.uris.some(inOthers);
    case 'other':
      return (names) => names.others.some(inOthers);
    case 'any':
      return (names) => names.uris.some(inOthers) || names.others.some(inOthers) || names.dns.some(inDns);
    default:
      return unreachable(type);
  }
}

/** A wildcard of the certificate stands for one label (RFC 6125 section 6.4.3). */
function dnsCovers(pattern: string, host: string): boolean {
  if (!pattern.startsWith('*.')) return pattern.toLowerCase() === host.toLowerCase();
  const dot = host.indexOf('.');
  return dot > 0 && host.slice(dot).toLowerCase() === pattern.slice(1).toLowerCase();
}
