// The HTTP filters, and how the configuration finds them. The order here is of no account: filters run in the
// order in which a connection manager lists them.
import { compressor } from './coding/compressor.ts';
import { decompressor } from './coding/decompressor.ts';
import { cors } from './cors.ts';
import { decorator } from './decorator.ts';
import { fault } from './fault.ts';
import { grpcWeb } from './grpc-web.ts';
import { healthCheck } from './health-check.ts';
import type { HttpFilter } from './http-filter.ts';
import { rbac } from './rbac/rbac.ts';
import { router } from './router.ts';

export const filters: readonly HttpFilter[] = [
  compressor,
  cors,
  decompressor,
  decorator,
  fault,
  grpcWeb,
  healthCheck,
  rbac,
  router,
];

const byKind = new Map(filters.map((filter) => [filter.kind, filter]));
const byMessage = new Map(filters.flatMap((filter) => filter.messages.map((type) => [type, filter])));
const byRouteMessage = new Map(
  filters.flatMap((filter) => filter.routeMessages.map((type) => [type, filter])),
);

export function filterOfKind(kind: string): HttpFilter | undefined {
  return byKind.get(kind);
}

/** By the type of its message. */
export function filterFor(type: string): HttpFilter | undefined {
  return byMessage.get(type);
}

/** By the type of its message for a route. */
export function filterForRoute(type: string): HttpFilter | undefined {
  return byRouteMessage.get(type);
}
