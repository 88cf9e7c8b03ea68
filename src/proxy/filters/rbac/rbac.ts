// The RBAC filter: requests that no policy allows are answered with 403.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rbac_filter
import { fromBinary } from '@bufbuild/protobuf';
import {
  type RBAC,
  RBACPerRouteSchema,
  RBACSchema,
} from '@meltemi/envoy-api/envoy/extensions/filters/http/rbac/v3/rbac';
import { httpFilter, type StreamContext, type StreamFilter } from '../http-filter.ts';
import { denialDetails, type RbacFacts, type RbacVerdict, rbacVerdict } from './decide.ts';
import { type Count, joined, rbacCount } from './rbac-stats.ts';
import { planRules, type RulesPlan, refuseUnknown } from './rules.ts';

export interface RbacPlan {
  readonly kind: 'rbac';
  /** Undefined lets everyone pass. */
  readonly rules: RulesPlan | undefined;
  readonly shadow: RulesPlan | undefined;
  readonly statPrefix: string;
  readonly shadowStatPrefix: string;
  readonly perRule: boolean;
}

export const rbac = httpFilter<RbacPlan, RbacPlan>({
  kind: 'rbac',
  name: 'envoy.filters.http.rbac',
  messages: [RBACSchema],
  plan: (message, problems) => planRbac(fromBinary(RBACSchema, message), problems),
  routeMessages: [RBACPerRouteSchema],
  planRoute: (message, problems) => {
    const source = fromBinary(RBACPerRouteSchema, message);
    refuseUnknown(source, 'filter', problems);
    return source.rbac ? planRbac(source.rbac, problems) : open;
  },
  open: (plan, scope) => {
    const prefix = `${scope.statPrefix}rbac.`;
    const options = { counter: scope.counter, perRule: plan.perRule };
    const counts: Counts = {
      enforced: rbacCount({ ...options, prefix: joined(prefix, plan.statPrefix), shadow: false }),
      shadow: rbacCount({ ...options, prefix: joined(prefix, plan.shadowStatPrefix), shadow: true }),
    };
    const stream = (route: RbacPlan | undefined): StreamFilter | undefined => {
      const effective = route ?? plan;
      if (!effective.rules && !effective.shadow) return undefined;
      return { requestHead: (context) => enforce(effective, plan, counts, context) };
    };
    const always = stream(undefined);
    return { onlyByRoute: !always, stream: (_context, route) => (route ? stream(route) : always) };
  },
});

/** Of a route without rules: none apply there. */
const open: RbacPlan = {
  kind: 'rbac',
  rules: undefined,
  shadow: undefined,
  statPrefix: '',
  shadowStatPrefix: '',
  perRule: false,
};

type Prefixes = Pick<RbacPlan, 'statPrefix' | 'shadowStatPrefix'>;

interface Counts {
  readonly enforced: Count;
  readonly shadow: Count;
}

function planRbac(source: RBAC, problems: string[]): RbacPlan {
  if (source.matcher) problems.push('rbac: matcher is not supported');
  if (source.shadowMatcher) problems.push('rbac: shadow_matcher is not supported');
  refuseUnknown(source, 'filter', problems);
  return {
    kind: 'rbac',
    rules: source.rules && planRules(source.rules, problems),
    shadow: source.shadowRules && planRules(source.shadowRules, problems),
    statPrefix: source.rulesStatPrefix,
    shadowStatPrefix: source.shadowRulesStatPrefix,
    perRule: source.trackPerRuleStats,
  };
}

const namespace = 'envoy.filters.http.rbac';

/** What is told is told under the prefixes of the connection manager's filter. */
function enforce(
  plan: RbacPlan,
  prefixes: Prefixes,
  counts: Counts,
  context: StreamContext,
): 'continue' | 'stop' {
  const facts: RbacFacts = {
    connection: context.info,
    clientIp: context.clientIp,
    request: context.request,
    metadata: context.metadata,
  };
  const shadow = plan.shadow && rbacVerdict(plan.shadow, facts);
  if (shadow) counts.shadow(shadow);
  const verdict = plan.rules && rbacVerdict(plan.rules, facts);
  if (plan.rules?.action === 'log')
    context.setMetadata('envoy.common', { access_log_hint: verdict?.policy !== undefined });
  if (verdict) counts.enforced(verdict);
  if (verdict?.allowed === false) {
    const cause = { flag: '', details: denialDetails(verdict.policy) };
    context.reply({ status: 403, body: 'RBAC: access denied', cause });
  }
  // After the reply: formats of its headers do not see it, as in Envoy; access logs do.
  context.setMetadata(namespace, {
    ...(shadow ? told(`${prefixes.shadowStatPrefix}shadow`, shadow) : {}),
    ...(verdict ? told(`${prefixes.statPrefix}enforced`, verdict) : {}),
  });
  return verdict?.allowed === false ? 'stop' : 'continue';
}

function told(which: string, { allowed, policy }: RbacVerdict): Readonly<Record<string, string>> {
  return {
    ...(policy === undefined ? {} : { [`${which}_effective_policy_id`]: policy }),
    [`${which}_engine_result`]: allowed ? 'allowed' : 'denied',
  };
}
