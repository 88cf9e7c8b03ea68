// Whether rules let a request or connection pass, and by which policy.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rbac_filter
import { unreachable } from '../../../base/index.ts';
import { addressBytes, inPrefix } from '../../codec/address.ts';
import type { RequestView } from '../../codec/http/request-view.ts';
import { compiledOnce } from '../../decide/compiled.ts';
import type { ConnectionInfo } from '../../decide/connection-info.ts';
import { headerMatcher } from '../../decide/route/header-match.ts';
import { metadataMatcher } from '../../decide/route/metadata-match.ts';
import { textMatcher } from '../../decide/route/string-match.ts';
import type { StringMatchPlan } from '../../plan/route/string-match.ts';
import type { PolicyPlan, Rule, RulesPlan } from './rules.ts';

export interface RbacFacts {
  readonly connection: ConnectionInfo;
  /** The client after trusted proxies. */
  readonly clientIp: string;
  readonly request: RequestView;
  readonly metadata: Readonly<Record<string, unknown>>;
}

export interface RbacVerdict {
  readonly allowed: boolean;
  /** The policy that matched. */
  readonly policy: string | undefined;
}

export function rbacVerdict(plan: RulesPlan, facts: RbacFacts): RbacVerdict {
  const policy = plan.policies.find((one) => policyMatches(one, facts))?.name;
  switch (plan.action) {
    case 'allow':
      return { allowed: policy !== undefined, policy };
    case 'deny':
      return { allowed: policy === undefined, policy };
    case 'log':
      return { allowed: true, policy };
    default:
      return unreachable(plan.action);
  }
}

/** Policies without a name to tell are told as `none`; blanks would break up the line of an access log. */
export function denialDetails(policy: string | undefined): string {
  return `rbac_access_denied_matched_policy[${(policy ?? 'none').replace(/\s/g, '_')}]`;
}

function policyMatches({ permissions, principals }: PolicyPlan, facts: RbacFacts): boolean {
  return permissions.some((rule) => matches(rule, facts)) && principals.some((rule) => matches(rule, facts));
}

function matches(rule: Rule, facts: RbacFacts): boolean {
  const { connection, request } = facts;
  switch (rule.kind) {
    case 'any':
      return true;
    case 'never':
      return false;
    case 'and':
      return rule.rules.every((one) => matches(one, facts));
    case 'or':
      return rule.rules.some((one) => matches(one, facts));
    case 'not':
      return !matches(rule.rule, facts);
    case 'header':
      return headerMatcher(rule.header).matchesRequest(request);
    case 'path':
      return textMatcher(rule.path).test(request.path.replace(/[?#].*$/s, ''));
    case 'metadata':
      return metadataFits(rule.value)(facts.metadata);
    case 'ip':
      return inPrefix(addressBytes(ipOf(rule.of, facts)), rule.prefix);
    case 'port':
      return connection.localPort >= rule.start && connection.localPort < rule.end;
    case 'serverName':
      return textMatcher(rule.name).test(connection.serverName ?? '');
    case 'authenticated':
      return isAuthenticated(connection, rule.name);
    default:
      return unreachable(rule);
  }
}

function ipOf(of: 'destination' | 'source' | 'client', { connection, clientIp }: RbacFacts): string {
  if (of === 'client') return clientIp;
  return of === 'source' ? connection.remoteIp : connection.localIp;
}

const metadataFits = compiledOnce(metadataMatcher);

/** By its URIs, its DNS names or its subject. */
function isAuthenticated({ tls }: ConnectionInfo, name: StringMatchPlan | undefined): boolean {
  if (!tls) return false;
  if (!name) return true;
  const { uris = [], dns = [] } = tls.peer?.names ?? {};
  const matcher = textMatcher(name);
  return [...uris, ...dns, tls.peer?.subject ?? ''].some((one) => matcher.test(one));
}
