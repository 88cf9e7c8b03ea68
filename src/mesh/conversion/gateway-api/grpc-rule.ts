// One rule of a GRPCRoute, for one of its matches, as a rule of a VirtualService: a method is a path.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.GRPCRouteRule
import type {
  GatewayGRPCRouteRule,
  HTTPMatchRequest,
  HTTPRoute,
  StringMatch,
} from '../../../config/index.ts';
import type { ResolveBackend } from './backends.ts';
import { headersOf, mirrorsOf, unknownFilter } from './filters.ts';
import { namedMatches } from './http-rule.ts';
import { refused, weightedTargets } from './http-targets.ts';
import type { Attempt } from './problem.ts';

export type GrpcMatch = NonNullable<GatewayGRPCRouteRule['matches']>[number];

export function convertGrpcRule(
  rule: GatewayGRPCRouteRule,
  name: string,
  match: GrpcMatch | undefined,
  resolve: ResolveBackend,
): Attempt<HTTPRoute> {
  const filters = rule.filters ?? [];
  const start: HTTPRoute = { name: rule.name || name, match: match ? [convertMatch(match)] : undefined };
  const unknown = unknownFilter(filters);
  if (unknown) return refused(start, unknown);
  const mirrors = mirrorsOf(filters, resolve);
  const route: HTTPRoute = { ...start, headers: headersOf(filters), mirrors: mirrors.value };
  return weightedTargets({ route, name: start, mirrors }, rule.backendRefs ?? [], resolve);
}

export function convertMatch({ method, headers }: GrpcMatch): HTTPMatchRequest {
  return { uri: method && methodPath(method), headers: namedMatches(headers) };
}

/** https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests (Path) */
function methodPath({ type, service, method }: NonNullable<GrpcMatch['method']>): StringMatch | undefined {
  if (!service && !method) return undefined;
  if (type === 'RegularExpression') return { regex: `/${service || '[^/]+'}/${method || '.+'}` };
  if (!method) return { prefix: `/${service}/` };
  return service ? { exact: `/${service}/${method}` } : { regex: `/[^/]+/${escaped(method)}` };
}

function escaped(text: string): string {
  return text.replace(/[\\.+*?^${}()|[\]]/g, '\\$&');
}
