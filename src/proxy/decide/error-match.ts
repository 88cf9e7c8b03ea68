// Whether a response counts as an error for outlier detection.
import { unreachable } from '../../base/index.ts';
import type { HeaderView } from '../codec/http/request-view.ts';
import type { ErrorMatchPlan } from '../plan/cluster/error-match-plan.ts';
import { HeaderMatcher } from './route/header-match.ts';

/** Sees the status as the header `:status`. */
export type ErrorMatcher = (status: number, headers: HeaderView) => boolean;

export function errorMatcher(plan: ErrorMatchPlan): ErrorMatcher {
  const holds = predicate(plan);
  return (status, headers) => holds(withStatus(status, headers));
}

type Predicate = (response: HeaderView) => boolean;

function predicate(plan: ErrorMatchPlan): Predicate {
  switch (plan.kind) {
    case 'always':
      return () => plan.holds;
    case 'or': {
      const any = plan.rules.map(predicate);
      return (response) => any.some((holds) => holds(response));
    }
    case 'and': {
      const all = plan.rules.map(predicate);
      return (response) => all.every((holds) => holds(response));
    }
    case 'not': {
      const holds = predicate(plan.rule);
      return (response) => !holds(response);
    }
    case 'headers': {
      const headers = plan.headers.map((one) => new HeaderMatcher(one));
      return (response) => headers.every((header) => header.matches(response));
    }
    default:
      return unreachable(plan);
  }
}

function withStatus(status: number, headers: HeaderView): HeaderView {
  const isStatus = (name: string): boolean => name === ':status';
  return {
    get: (name) => (isStatus(name) ? String(status) : headers.get(name)),
    getAll: (name) => (isStatus(name) ? [String(status)] : headers.getAll(name)),
  };
}
