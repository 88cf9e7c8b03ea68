// Hash policies of a route: what makes requests of one session reach one host.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-routeaction-hashpolicy
import type {
  RouteAction_HashPolicy_Cookie as CookieConfig,
  RouteAction_HashPolicy as HashPolicyConfig,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { millis } from '../../codec/duration.ts';
import { configuredText } from '../../codec/wire-text.ts';
import { planSubstitution, type SubstitutionPlan } from './regex.ts';

export type HashSource =
  | { readonly kind: 'header'; readonly name: string; readonly rewrite: SubstitutionPlan | undefined }
  | { readonly kind: 'cookie'; readonly name: string; readonly generated: CookieTemplate | undefined }
  | { readonly kind: 'sourceIp' }
  | { readonly kind: 'query'; readonly name: string }
  | { readonly kind: 'filterState'; readonly key: string };

export interface CookieTemplate {
  /** Whole seconds; 0 is a session cookie. */
  readonly maxAge: number;
  readonly path: string;
  readonly attributes: readonly { readonly name: string; readonly value: string }[];
}

export type HashPolicies = readonly { readonly source: HashSource; readonly terminal: boolean }[];

export function planHashPolicies(
  configs: readonly HashPolicyConfig[],
  problems: string[],
): HashPolicies | undefined {
  const policies = configs.flatMap((config) => {
    const source = planSource(config, problems);
    return source ? [{ source, terminal: config.terminal }] : [];
  });
  return policies.length > 0 ? policies : undefined;
}

function planSource(config: HashPolicyConfig, problems: string[]): HashSource | undefined {
  const specifier = config.policySpecifier;
  switch (specifier.case) {
    case 'header': {
      const { headerName, regexRewrite } = specifier.value;
      return {
        kind: 'header',
        name: headerName.toLowerCase(),
        rewrite: regexRewrite && planSubstitution(regexRewrite, problems),
      };
    }
    case 'cookie':
      return {
        kind: 'cookie',
        name: configuredText(specifier.value.name, 'cookie name', problems),
        generated: cookieTemplate(specifier.value, problems),
      };
    case 'connectionProperties':
      return specifier.value.sourceIp ? { kind: 'sourceIp' } : undefined;
    case 'queryParameter':
      return { kind: 'query', name: specifier.value.name };
    case 'filterState':
      return { kind: 'filterState', key: specifier.value.key };
    default:
      problems.push('hash policy without a source');
      return undefined;
  }
}

// Only a policy with a ttl (0 for a session) makes cookies.
function cookieTemplate(config: CookieConfig, problems: string[]): CookieTemplate | undefined {
  if (!config.ttl) return undefined;
  const attribute = (text: string): string => configuredText(text, 'cookie attribute', problems);
  const attributes = config.attributes.map(({ name, value }) => ({
    name: attribute(name),
    value: attribute(value),
  }));
  return {
    maxAge: Math.floor((millis(config.ttl) ?? 0) / 1000),
    path: attribute(config.path),
    attributes,
  };
}
