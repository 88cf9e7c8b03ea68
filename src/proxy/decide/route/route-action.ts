// What a route does with a request. Everything that does not depend on the request is decided once.
import { unreachable } from '../../../base/index.ts';
import { type RequestView, requestHeader } from '../../codec/http/request-view.ts';
import type { RedirectPlan } from '../../plan/route/redirect.ts';
import type { ActionPlan, ForwardPlan, RouteEntry } from '../../plan/route/route-plan.ts';
import type {
  DirectResponseDecision,
  ForwardDecision,
  NonForwardingDecision,
  RouteContext,
  RouteDecision,
} from './decision.ts';
import { decideMirrors, hasOpenMirrors } from './mirror.ts';
import { redirectLocation } from './redirect.ts';

/** An action with its static decisions. */
export type CompiledAction =
  | {
      readonly kind: 'static';
      readonly decision: ForwardDecision | DirectResponseDecision | NonForwardingDecision;
    }
  | WeightedAction
  | { readonly kind: 'clusterHeader'; readonly header: string; readonly base: ForwardDecision }
  /** Chance decides on mirrors. */
  | { readonly kind: 'mirrored'; readonly forward: ForwardAction }
  | { readonly kind: 'redirect'; readonly redirect: RedirectPlan; readonly route: RouteEntry };

interface WeightedAction {
  readonly kind: 'weighted';
  readonly total: number;
  readonly header: string;
  readonly choices: readonly WeightedChoice[];
}

interface WeightedChoice {
  readonly end: number;
  readonly clusterHeader: string;
  readonly decision: ForwardDecision;
}

type ForwardAction =
  | { readonly kind: 'static'; readonly decision: ForwardDecision }
  | WeightedAction
  | { readonly kind: 'clusterHeader'; readonly header: string; readonly base: ForwardDecision };

export function decide(action: CompiledAction, request: RequestView, context: RouteContext): RouteDecision {
  switch (action.kind) {
    case 'static':
      return action.decision;
    case 'weighted':
    case 'clusterHeader':
      return decideForward(action, request, context);
    case 'mirrored': {
      const decision = decideForward(action.forward, request, context);
      return { ...decision, mirrors: decideMirrors(decision.route.mirrors, context.random) };
    }
    case 'redirect': {
      const { route, redirect } = action;
      const location = redirectLocation(redirect, request);
      return { kind: 'redirect', route, status: redirect.status, location };
    }
    default:
      return unreachable(action);
  }
}

export function compileAction(plan: ActionPlan): CompiledAction {
  switch (plan.kind) {
    case 'forward': {
      const forward = compileForward(plan);
      return hasOpenMirrors(plan.route.mirrors) ? { kind: 'mirrored', forward } : forward;
    }
    case 'redirect':
      return plan;
    case 'directResponse':
    case 'nonForwarding':
      return { kind: 'static', decision: plan };
    default:
      return unreachable(plan);
  }
}

function decideForward(action: ForwardAction, request: RequestView, context: RouteContext): ForwardDecision {
  switch (action.kind) {
    case 'static':
      return action.decision;
    case 'weighted':
      return decideWeighted(action, request, context);
    case 'clusterHeader':
      return { ...action.base, cluster: requestHeader(request, action.header) ?? '' };
    default:
      return unreachable(action);
  }
}

function decideWeighted(
  { choices, total, header }: WeightedAction,
  request: RequestView,
  context: RouteContext,
): ForwardDecision {
  const given = header === '' ? undefined : request.get(header);
  const isNumber = given !== undefined && /^\d{1,15}$/.test(given);
  const draw = isNumber ? Number(given) % total : context.random() * total;
  let choice = choices[0];
  for (let i = 0; i < choices.length; i++) {
    choice = choices[i];
    if (choice !== undefined && draw < choice.end) break;
  }
  if (choice === undefined) throw new Error('a weighted action has at least one choice');
  return choice.clusterHeader === ''
    ? choice.decision
    : { ...choice.decision, cluster: requestHeader(request, choice.clusterHeader) ?? '' };
}

function compileForward({ route, target }: ForwardPlan): ForwardAction {
  const base: ForwardDecision = {
    kind: 'forward',
    route,
    cluster: '',
    weighted: undefined,
    filters: route.filters,
    // Settled for all requests, or drawn anew for each.
    mirrors: decideMirrors(route.mirrors, () => 0),
  };
  switch (target.kind) {
    case 'cluster':
      return { kind: 'static', decision: { ...base, cluster: target.cluster } };
    case 'clusterHeader':
      return { kind: 'clusterHeader', header: target.header, base };
    case 'weighted': {
      const choices = target.choices.map(({ end, clusterHeader, entry, filters }) => ({
        end,
        clusterHeader,
        decision: { ...base, cluster: entry.cluster, weighted: entry, filters },
      }));
      return { kind: 'weighted', total: target.total, header: target.header, choices };
    }
    default:
      return unreachable(target);
  }
}
