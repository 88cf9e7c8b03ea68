// The RBAC network filter: connections that no policy allows are closed at their first bytes.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/listeners/network_filters/rbac_filter
import { fromBinary } from '@bufbuild/protobuf';
import { RBACSchema } from '@meltemi/envoy-api/envoy/extensions/filters/network/rbac/v3/rbac';
import type { RequestView } from '../../codec/http/request-view.ts';
import type { Counter } from '../http-filter.ts';
import { type ConnectionGuard, networkFilter } from '../network-filter.ts';
import { denialDetails, rbacVerdict } from './decide.ts';
import { joined, rbacCount } from './rbac-stats.ts';
import { planRules, type RulesPlan, refuseUnknown } from './rules.ts';

export interface NetworkRbacPlan {
  readonly kind: 'networkRbac';
  readonly rules: RulesPlan | undefined;
  readonly shadow: RulesPlan | undefined;
  readonly statPrefix: string;
  readonly shadowStatPrefix: string;
}

function planNetworkRbac(message: Uint8Array, problems: string[]): NetworkRbacPlan {
  const source = fromBinary(RBACSchema, message);
  if (source.matcher) problems.push('rbac: matcher is not supported');
  if (source.shadowMatcher) problems.push('rbac: shadow_matcher is not supported');
  refuseUnknown(source, 'filter', problems);
  return {
    kind: 'networkRbac',
    rules: source.rules && planRules(source.rules, problems),
    shadow: source.shadowRules && planRules(source.shadowRules, problems),
    statPrefix: source.statPrefix,
    shadowStatPrefix: source.shadowRulesStatPrefix,
  };
}

function openNetworkRbac(plan: NetworkRbacPlan, counter: (name: string) => Counter): ConnectionGuard {
  const prefix = joined(plan.statPrefix, 'rbac.');
  const enforced = rbacCount({ counter, prefix, perRule: false, shadow: false });
  const shadow = rbacCount({
    counter,
    prefix: joined(prefix, plan.shadowStatPrefix),
    perRule: false,
    shadow: true,
  });
  return (connection) => {
    const facts = { connection, clientIp: connection.remoteIp, request: noRequest, metadata: {} };
    if (plan.shadow) shadow(rbacVerdict(plan.shadow, facts));
    if (!plan.rules) return undefined;
    const verdict = rbacVerdict(plan.rules, facts);
    enforced(verdict);
    return verdict.allowed ? undefined : denialDetails(verdict.policy);
  };
}

export const networkRbac = networkFilter<NetworkRbacPlan>({
  kind: 'networkRbac',
  message: RBACSchema,
  plan: planNetworkRbac,
  open: openNetworkRbac,
});

const noRequest: RequestView = {
  method: '',
  path: '',
  authority: '',
  scheme: '',
  get: () => undefined,
  getAll: () => [],
};
