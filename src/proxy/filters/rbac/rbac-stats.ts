// What RBAC filters count, enforced and in the shadow.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/rbac_filter#statistics
import type { Counter } from '../http-filter.ts';
import type { RbacVerdict } from './decide.ts';

export interface StatsOptions {
  readonly counter: (name: string) => Counter;
  readonly prefix: string;
  /** A counter for every policy that matches. */
  readonly perRule: boolean;
  readonly shadow: boolean;
}

export type Count = (verdict: RbacVerdict) => void;

export function rbacCount({ counter, prefix, perRule, shadow }: StatsOptions): Count {
  const mode = shadow ? 'shadow_' : '';
  const allowed = counter(joined(prefix, `${mode}allowed`));
  const denied = counter(joined(prefix, `${mode}denied`));
  return (verdict) => {
    const stat = verdict.allowed ? allowed : denied;
    stat.value++;
    if (perRule && verdict.policy !== undefined)
      counter(joined(prefix, `policy.${verdict.policy}.${mode}${verdict.allowed ? 'allowed' : 'denied'}`))
        .value++;
  };
}

/** As Envoy joins names: with one dot. */
export function joined(prefix: string, name: string): string {
  if (prefix === '' || name === '') return `${prefix}${name}`;
  return prefix.endsWith('.') ? `${prefix}${name}` : `${prefix}.${name}`;
}
