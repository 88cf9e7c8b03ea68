// The list of HTTP filters of a connection manager, planned in its order.
import type { Any } from '@bufbuild/protobuf/wkt';
import type { HttpFilter as HttpFilterConfig } from '@meltemi/envoy-api/envoy/extensions/filters/network/http_connection_manager/v3/http_connection_manager';
import type { FilterCatalog, Kinded } from '../filter-catalog.ts';
import { reasonToLeaveOut } from './without-effect.ts';

export interface FilterPlan {
  /** By which routes configure it. */
  readonly name: string;
  /** Only routes that ask for it have it. */
  readonly disabled: boolean;
  readonly plan: Kinded;
}

/** What names operations for traces. */
export interface DecoratorPlan extends Kinded {
  readonly kind: 'decorator';
  /** Outbound operations are named to the upstream, inbound ones to the caller. */
  readonly direction: 'outbound' | 'inbound';
}

export interface FilterListContext {
  readonly catalog: FilterCatalog;
  readonly decorator: DecoratorPlan | undefined;
}

/** `decorator`: what the connection manager itself does before the first filter. */
export function planFilters(
  list: readonly HttpFilterConfig[],
  { catalog, decorator }: FilterListContext,
  problems: string[],
): readonly FilterPlan[] {
  const plans = list.flatMap((filter) => planFilter(filter, catalog, problems) ?? []);
  if (!endsInRouter(plans)) problems.push('the HTTP filters do not end in a router');
  return decorator ? [{ name: '', disabled: false, plan: decorator }, ...plans] : plans;
}

function planFilter(
  filter: HttpFilterConfig,
  catalog: FilterCatalog,
  problems: string[],
): FilterPlan | undefined {
  const any = filter.configType.case === 'typedConfig' ? filter.configType.value : undefined;
  const plan = any && catalog.http(typeOf(any));
  if (!plan) {
    const type = any && typeOf(any);
    if (!filter.isOptional && reasonToLeaveOut(filter.name, type) === undefined)
      problems.push(`HTTP filter ${filter.name} is not supported`);
    return undefined;
  }
  try {
    return { name: filter.name, disabled: filter.disabled, plan: plan(any.value, problems) };
  } catch (error) {
    problems.push(`HTTP filter ${filter.name}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

function endsInRouter(plans: readonly FilterPlan[]): boolean {
  const last = plans.at(-1);
  return last?.plan.kind === 'router' && !last.disabled;
}

function typeOf({ typeUrl }: Any): string {
  return typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
}
