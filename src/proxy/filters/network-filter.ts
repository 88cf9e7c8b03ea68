// The shape of a network filter that lets connections go on or not: what it plans from its message, and what it
// says of a connection at its first bytes.
import type { DescMessage } from '@bufbuild/protobuf';
import type { ConnectionInfo } from '../decide/connection-info.ts';
import type { FilterPlanner, Kinded } from '../plan/filter-catalog.ts';
import type { Counter } from './http-filter.ts';

/** Why a connection may not go on, in the words of access logs; undefined lets it go on. */
export type ConnectionGuard = (connection: ConnectionInfo) => string | undefined;

/** `P`: its plan, which carries the filter's `kind`. */
export interface NetworkFilterDefinition<P extends Kinded> {
  readonly kind: P['kind'];
  /** That configures it. */
  readonly message: DescMessage;
  plan(message: Uint8Array, problems: string[]): P;
  /** Once for a filter chain. */
  open(plan: P, counter: (name: string) => Counter): ConnectionGuard;
}

/** A filter whose type of plan is its own affair. */
export interface NetworkFilter {
  readonly kind: string;
  readonly message: DescMessage;
  readonly plan: FilterPlanner;
  /** Undefined for a plan that is not its own. */
  open(plan: Kinded, counter: (name: string) => Counter): ConnectionGuard | undefined;
}

export function networkFilter<P extends Kinded>(definition: NetworkFilterDefinition<P>): NetworkFilter {
  const { kind, message } = definition;
  const isPlan = (plan: Kinded): plan is P => plan.kind === kind;
  return {
    kind,
    message,
    plan: (bytes, problems) => definition.plan(bytes, problems),
    open: (plan, counter) => (isPlan(plan) ? definition.open(plan, counter) : undefined),
  };
}
