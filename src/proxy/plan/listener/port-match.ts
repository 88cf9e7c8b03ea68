// The destination ports at which a listener filter is left out.
import type { ListenerFilterChainMatchPredicate } from '@meltemi/envoy-api/envoy/config/listener/v3/listener_components';
import { unreachable } from '../../../base/index.ts';

export type PortMatch =
  | { readonly kind: 'always'; readonly holds: boolean }
  | { readonly kind: 'or'; readonly rules: readonly PortMatch[] }
  | { readonly kind: 'and'; readonly rules: readonly PortMatch[] }
  | { readonly kind: 'not'; readonly rule: PortMatch }
  /** Without `end`. */
  | { readonly kind: 'range'; readonly start: number; readonly end: number };

export function planPortMatch({ rule }: ListenerFilterChainMatchPredicate): PortMatch {
  switch (rule.case) {
    case 'orMatch':
      return { kind: 'or', rules: rule.value.rules.map(planPortMatch) };
    case 'andMatch':
      return { kind: 'and', rules: rule.value.rules.map(planPortMatch) };
    case 'notMatch':
      return { kind: 'not', rule: planPortMatch(rule.value) };
    case 'anyMatch':
      return { kind: 'always', holds: rule.value };
    case 'destinationPortRange':
      return { kind: 'range', start: rule.value.start, end: rule.value.end };
    default:
      return { kind: 'always', holds: false };
  }
}

export function matchesPort(match: PortMatch, port: number): boolean {
  switch (match.kind) {
    case 'always':
      return match.holds;
    case 'or':
      return match.rules.some((rule) => matchesPort(rule, port));
    case 'and':
      return match.rules.every((rule) => matchesPort(rule, port));
    case 'not':
      return !matchesPort(match.rule, port);
    case 'range':
      return port >= match.start && port < match.end;
    default:
      return unreachable(match);
  }
}
