// The rules of role-based access control, planned: who may do what. What is not understood is a problem, so
// that nobody is let in by mistake.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/rbac/v3/rbac.proto
import type { CidrRange } from '@meltemi/envoy-api/envoy/config/core/v3/address';
import {
  RBAC_Action as Action,
  type Permission,
  type Policy,
  type Principal,
  type RBAC,
} from '@meltemi/envoy-api/envoy/config/rbac/v3/rbac';
import { compilePrefix, type Prefix } from '../../codec/address.ts';
import { type HeaderMatchPlan, planHeaderMatch } from '../../plan/route/header-match.ts';
import { type MetadataMatchPlan, planMetadataMatch } from '../../plan/route/metadata-match.ts';
import { planStringMatch, type StringMatchPlan } from '../../plan/route/string-match.ts';

export type Rule =
  | { readonly kind: 'any' }
  | { readonly kind: 'never' }
  | { readonly kind: 'and' | 'or'; readonly rules: readonly Rule[] }
  | { readonly kind: 'not'; readonly rule: Rule }
  | { readonly kind: 'header'; readonly header: HeaderMatchPlan }
  /** Without the query. */
  | { readonly kind: 'path'; readonly path: StringMatchPlan }
  | { readonly kind: 'metadata'; readonly value: MetadataMatchPlan }
  | { readonly kind: 'ip'; readonly of: 'destination' | 'source' | 'client'; readonly prefix: Prefix }
  /** Up to and without `end`. */
  | { readonly kind: 'port'; readonly start: number; readonly end: number }
  | { readonly kind: 'serverName'; readonly name: StringMatchPlan }
  /** Without a name, every client over TLS. */
  | { readonly kind: 'authenticated'; readonly name: StringMatchPlan | undefined };

export interface PolicyPlan {
  readonly name: string;
  readonly permissions: readonly Rule[];
  readonly principals: readonly Rule[];
}

export interface RulesPlan {
  readonly action: 'allow' | 'deny' | 'log';
  /** By name: the first that matches is the one that is told. */
  readonly policies: readonly PolicyPlan[];
}

const actions: Readonly<Record<number, RulesPlan['action']>> = {
  [Action.ALLOW]: 'allow',
  [Action.DENY]: 'deny',
  [Action.LOG]: 'log',
};

export function planRules(source: RBAC, problems: string[]): RulesPlan {
  const action = actions[source.action];
  if (action === undefined) problems.push(`rbac: action ${source.action} is not supported`);
  refuseUnknown(source, 'rules', problems);
  return {
    action: action ?? 'deny',
    policies: Object.entries(source.policies)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, policy]) => planPolicy(name, policy, problems)),
  };
}

/** Fields that the messages do not know yet may be conditions. */
export function refuseUnknown(
  { $unknown }: { readonly $unknown?: readonly { readonly no: number }[] | undefined },
  what: string,
  problems: string[],
): void {
  for (const { no } of $unknown ?? []) problems.push(`rbac: ${what}: field ${no} is not supported`);
}

function planPolicy(name: string, source: Policy, problems: string[]): PolicyPlan {
  const own: string[] = [];
  if (source.condition || source.checkedCondition) own.push('condition is not supported');
  refuseUnknown(source, 'policy', own);
  const plan = {
    name,
    permissions: source.permissions.map((one) => planPermission(one, own)),
    principals: source.principals.map((one) => planPrincipal(one, own)),
  };
  problems.push(...own.map((problem) => `rbac policy "${name}": ${problem}`));
  return plan;
}

function planPermission({ rule }: Permission, problems: string[]): Rule {
  switch (rule.case) {
    case 'any':
      return rule.value ? { kind: 'any' } : unsupported('permission any: false', problems);
    case 'andRules':
      return { kind: 'and', rules: rule.value.rules.map((one) => planPermission(one, problems)) };
    case 'orRules':
      return { kind: 'or', rules: rule.value.rules.map((one) => planPermission(one, problems)) };
    case 'notRule':
      return { kind: 'not', rule: planPermission(rule.value, problems) };
    case 'header':
      return { kind: 'header', header: planHeaderMatch(rule.value, problems) };
    case 'urlPath':
      return planPath(rule.value.rule.value, problems);
    case 'destinationIp':
      return planIp('destination', rule.value, problems);
    case 'destinationPort':
      return { kind: 'port', start: rule.value, end: rule.value + 1 };
    case 'destinationPortRange':
      return { kind: 'port', start: rule.value.start, end: rule.value.end };
    case 'metadata':
      return { kind: 'metadata', value: planMetadataMatch(rule.value, problems) };
    case 'requestedServerName':
      return { kind: 'serverName', name: planStringMatch(rule.value, problems) };
    default:
      return unsupported(`permission ${rule.case ?? 'of a kind that is not known'}`, problems);
  }
}

function planPrincipal({ identifier: id }: Principal, problems: string[]): Rule {
  switch (id.case) {
    case 'any':
      return id.value ? { kind: 'any' } : unsupported('principal any: false', problems);
    case 'andIds':
      return { kind: 'and', rules: id.value.ids.map((one) => planPrincipal(one, problems)) };
    case 'orIds':
      return { kind: 'or', rules: id.value.ids.map((one) => planPrincipal(one, problems)) };
    case 'notId':
      return { kind: 'not', rule: planPrincipal(id.value, problems) };
    case 'authenticated': {
      const { principalName } = id.value;
      return { kind: 'authenticated', name: principalName && planStringMatch(principalName, problems) };
    }
    case 'sourceIp':
    case 'directRemoteIp':
      return planIp('source', id.value, problems);
    case 'remoteIp':
      return planIp('client', id.value, problems);
    case 'header':
      return { kind: 'header', header: planHeaderMatch(id.value, problems) };
    case 'urlPath':
      return planPath(id.value.rule.value, problems);
    case 'metadata':
      return { kind: 'metadata', value: planMetadataMatch(id.value, problems) };
    default:
      return unsupported(`principal ${id.case ?? 'of a kind that is not known'}`, problems);
  }
}

function planPath(matcher: Parameters<typeof planStringMatch>[0] | undefined, problems: string[]): Rule {
  if (!matcher) return unsupported('path without a pattern', problems);
  return { kind: 'path', path: planStringMatch(matcher, problems) };
}

function planIp(of: 'destination' | 'source' | 'client', range: CidrRange, problems: string[]): Rule {
  const prefix = compilePrefix(range, problems);
  return prefix ? { kind: 'ip', of, prefix } : { kind: 'never' };
}

function unsupported(what: string, problems: string[]): Rule {
  problems.push(`${what} is not supported`);
  return { kind: 'never' };
}
