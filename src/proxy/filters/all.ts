// The filters, and how the configuration finds them. The order here is of no account: filters run in the
// order in which a connection manager lists them.
import type { DescMessage } from '@bufbuild/protobuf';
import type { FilterCatalog, Kinded } from '../plan/filter-catalog.ts';
import { compressor } from './coding/compressor.ts';
import { decompressor } from './coding/decompressor.ts';
import { cors } from './cors.ts';
import { decorator } from './decorator.ts';
import { fault } from './fault.ts';
import { grpcWeb } from './grpc-web.ts';
import { healthCheck } from './health-check.ts';
import type { Counter, HttpFilter } from './http-filter.ts';
import type { ConnectionGuard, NetworkFilter } from './network-filter.ts';
import { networkRbac } from './rbac/network-rbac.ts';
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

const networkFilters: readonly NetworkFilter[] = [networkRbac];

const byKind = new Map(filters.map((filter) => [filter.kind, filter]));
const byMessage = new Map(
  filters.flatMap(({ messages, plan }) => messages.map(({ typeName }) => [typeName, plan])),
);
const byRouteMessage = new Map(
  filters.flatMap(({ routeMessages, planRoute }) =>
    routeMessages.map(({ typeName }) => [typeName, planRoute]),
  ),
);
const byNetworkMessage = new Map(networkFilters.map(({ message, plan }) => [message.typeName, plan]));

/** All that configure one of them. */
export const filterMessages: readonly DescMessage[] = [
  ...filters.flatMap(({ messages, routeMessages }) => [...messages, ...routeMessages]),
  ...networkFilters.map(({ message }) => message),
];

/** For plans: how all of them read their messages. */
export const filterCatalog: FilterCatalog = {
  http: (type) => byMessage.get(type),
  route: (type) => byRouteMessage.get(type),
  network: (type) => byNetworkMessage.get(type),
};

export function filterOfKind(kind: string): HttpFilter | undefined {
  return byKind.get(kind);
}

export function openGuards(
  plans: readonly Kinded[],
  counter: (name: string) => Counter,
): readonly ConnectionGuard[] {
  return plans.flatMap((plan) => networkFilters.flatMap((filter) => filter.open(plan, counter) ?? []));
}
