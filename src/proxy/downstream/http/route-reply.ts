// The answers that a route decision is by itself.
import type { Request } from '../../codec/http/request.ts';
import type { LocalReply } from '../../decide/local-reply.ts';
import { causes } from '../../decide/reply-cause.ts';
import type { ForwardDecision, RouteDecision } from '../../decide/route/index.ts';

export function routeReply(decision: Exclude<RouteDecision, ForwardDecision>, request: Request): LocalReply {
  switch (decision.kind) {
    case 'notFound':
      return { status: 404, body: '', cause: causes.noRoute };
    case 'nonForwarding':
      return { status: 500, body: '' };
    case 'redirect':
      return {
        status: decision.status,
        body: '',
        headers: [['location', decision.location]],
        cause: causes.direct,
      };
    case 'directResponse':
      return {
        status: decision.status,
        body: decision.body,
        headers: located(decision.status)
          ? [['location', `${request.scheme}://${request.authority}${request.path}`]]
          : [],
        cause: causes.direct,
      };
  }
}

/** Statuses with which a configured response says where it is, as Envoy has it say. */
function located(status: number): boolean {
  return status === 201 || (status >= 300 && status < 400);
}
