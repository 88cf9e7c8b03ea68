// Conditions, by which a controller tells what became of an object.
// https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md#typical-status-properties
import type { Problem } from '../gateway-api/problem.ts';

export interface StatusCondition {
  readonly type: string;
  readonly status: 'True' | 'False';
  readonly reason: string;
  readonly message: string;
}

/** True, with the type as its reason; false with a problem. */
export function condition(type: string, problem: Problem | undefined, message = ''): StatusCondition {
  return problem
    ? { type, status: 'False', reason: problem.reason, message: problem.message }
    : { type, status: 'True', reason: type, message };
}

export interface StatusObject {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace: string };
  readonly status: GatewayClassStatus | GatewayStatus | RouteStatusReport | PolicyStatusReport;
}

export interface GatewayClassStatus {
  readonly conditions: readonly StatusCondition[];
}

export interface GatewayStatus {
  readonly conditions: readonly StatusCondition[];
  readonly listeners: readonly ListenerStatus[];
}

export interface ListenerStatus {
  readonly name: string;
  readonly attachedRoutes: number;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  readonly conditions: readonly StatusCondition[];
}

export interface RouteStatusReport {
  readonly parents: readonly ParentStatus[];
}

/** Of ours, or kept from another controller. */
export type ReportedCondition = Pick<StatusCondition, 'type'> & {
  readonly status?: string;
  readonly reason?: string;
  readonly message?: string;
};

export interface ParentStatus {
  readonly parentRef: Readonly<Record<string, unknown>>;
  readonly controllerName: string;
  readonly conditions: readonly ReportedCondition[];
}

export interface PolicyStatusReport {
  readonly ancestors: readonly AncestorStatus[];
}

export interface AncestorStatus {
  readonly ancestorRef: Readonly<Record<string, unknown>>;
  readonly controllerName: string;
  readonly conditions: readonly ReportedCondition[];
}
