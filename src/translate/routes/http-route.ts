// One rule of a VirtualService, for one of its matches, as an Envoy route.
import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import {
  type Route,
  type RouteAction,
  RouteAction_ClusterNotFoundResponseCode,
  RouteActionSchema,
  RouteSchema,
  WeightedCluster_ClusterWeightSchema,
  type WeightedClusterSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { Destination, HTTPMatchRequest, HTTPRoute } from '../../config/index.ts';
import type { HttpMatch, HttpRule, HttpTarget, VirtualServiceModel } from '../../mesh/index.ts';
import { corsConfig, corsFilter } from '../features/cors.ts';
import { directResponse } from '../features/direct-response.ts';
import { faultConfig, faultFilter } from '../features/fault.ts';
import { type HashPolicyInit, hashPolicies } from '../features/hash-policy.ts';
import { type HeaderPlan, headerPlan, joinPlans } from '../features/headers.ts';
import { mirrorPolicies } from '../features/mirror.ts';
import { redirect } from '../features/redirect.ts';
import { retryPolicy } from '../features/retry.ts';
import { rewriteAction } from '../features/rewrite.ts';
import { concernsRequests, isCatchAll, type MatchClient, routeMatch } from '../features/route-match.ts';
import { configPath, outboundCluster, parseClusterName } from '../names.ts';
import { madeOf } from '../origins.ts';
import { duration, type Init, istioMetadata } from '../wire.ts';
import type { RouteContext } from './route-context.ts';

type RouteActionInit = Init<typeof RouteActionSchema>;
type WeightedClusterInit = Init<typeof WeightedClusterSchema>;

/** The routes that a VirtualService gives a client on a port, up to the first that takes every request. */
export function virtualServiceRoutes(
  model: VirtualServiceModel,
  client: MatchClient,
  context: RouteContext,
): readonly Route[] {
  const routes: Route[] = [];
  for (const rule of model.http) {
    // A rule without matches is a rule with one match that is always true.
    for (const match of rule.match?.length ? rule.match : [undefined]) {
      if (match && !concernsRequests(match, client)) continue;
      const route = buildRoute(model, rule, match, context);
      if (!route) continue;
      routes.push(route);
      if (route.match && isCatchAll(route.match)) return routes;
    }
  }
  return routes;
}

function buildRoute(
  model: VirtualServiceModel,
  rule: HttpRule,
  match: HttpMatch | undefined,
  context: RouteContext,
): Route | undefined {
  const own = headerPlan(rule.headers);
  const only = rule.route?.length === 1 ? rule.route[0] : undefined;
  const headers = only ? joinPlans(own, headerPlan(only.headers)) : own;
  const action = buildAction(model, rule, match, headers, context);
  if (!action) return undefined;
  const envoyMatch = routeMatch(match, model.semantics !== 'istio');
  const route = create(RouteSchema, {
    name: routeName(rule, match),
    match: envoyMatch,
    action,
    metadata: istioMetadata(configPath('virtual-service', model.namespace, model.name)),
    decorator: { operation: operation(model.name, envoyMatch, action, context.listenerPort) },
    requestHeadersToAdd: [...headers.requestHeadersToAdd],
    requestHeadersToRemove: [...headers.requestHeadersToRemove],
    responseHeadersToAdd: [...headers.responseHeadersToAdd],
    responseHeadersToRemove: [...headers.responseHeadersToRemove],
    typedPerFilterConfig: filterConfigs(rule),
    statPrefix: match?.statPrefix ?? '',
  });
  return madeOf(route, ...(match?.origins ?? []), ...rule.origins);
}

function routeName(rule: HTTPRoute, match: HTTPMatchRequest | undefined): string {
  return match?.name ? `${rule.name ?? ''}.${match.name}` : (rule.name ?? '');
}

function filterConfigs(rule: HTTPRoute): Record<string, Any> {
  const fault = faultConfig(rule.fault);
  const cors = corsConfig(rule.corsPolicy);
  return { ...(fault ? { [faultFilter]: fault } : {}), ...(cors ? { [corsFilter]: cors } : {}) };
}

function buildAction(
  model: VirtualServiceModel,
  rule: HttpRule,
  match: HTTPMatchRequest | undefined,
  headers: HeaderPlan,
  context: RouteContext,
): Route['action'] | undefined {
  if (rule.redirect) {
    const value = redirect(rule.redirect, context.listenerPort, context.tls, model.semantics === 'gateway');
    return value && { case: 'redirect', value };
  }
  if (rule.directResponse) return { case: 'directResponse', value: directResponse(rule.directResponse) };
  if (!rule.route?.length) return undefined;
  return { case: 'route', value: forward(model, { rule, match, targets: rule.route }, headers, context) };
}

interface Forwarded {
  readonly rule: HTTPRoute;
  readonly match: HTTPMatchRequest | undefined;
  readonly targets: readonly HttpTarget[];
}

function forward(
  model: VirtualServiceModel,
  { rule, match, targets }: Forwarded,
  headers: HeaderPlan,
  context: RouteContext,
): RouteAction {
  const cluster = (destination: Destination): string => destinationCluster(destination, context);
  const hash = targets.flatMap((target) => (target.destination ? hashOf(target.destination, context) : []));
  const timeout = duration(rule.timeout ?? 0);
  const init: RouteActionInit = {
    ...rewriteAction(
      rule.rewrite,
      rule.rewrite?.authority ?? headers.authority,
      model.semantics === 'gateway' ? (match?.uri?.prefix ?? '/') : undefined,
    ),
    clusterSpecifier:
      targets.length === 1
        ? { case: 'cluster', value: cluster(targets[0]?.destination ?? { host: '' }) }
        : { case: 'weightedClusters', value: weighted(targets, cluster) },
    clusterNotFoundResponseCode:
      model.semantics === 'gateway'
        ? RouteAction_ClusterNotFoundResponseCode.INTERNAL_SERVER_ERROR
        : undefined,
    timeout,
    maxGrpcTimeout: timeout,
    retryPolicy: retryPolicy(rule.retries, {
      meshDefault: context.meshRetries,
      consistentHash: targets.length === 1 && hash.length > 0,
    }),
    requestMirrorPolicies: mirrorPolicies(rule, cluster),
    hashPolicy: hash,
    appendXForwardedHost: context.appendForwardedHost,
  };
  return madeOf(
    create(RouteActionSchema, init),
    ...(targets.length === 1 ? (targets[0]?.origins ?? []) : []),
  );
}

function weighted(
  targets: readonly HttpTarget[],
  cluster: (destination: Destination) => string,
): WeightedClusterInit {
  const clusters = targets
    .filter((target) => (target.weight ?? 0) > 0)
    .map((target) => {
      const { authority, ...headers } = headerPlan(target.headers);
      const entry = create(WeightedCluster_ClusterWeightSchema, {
        name: cluster(target.destination ?? { host: '' }),
        weight: target.weight ?? 0,
        requestHeadersToAdd: [...headers.requestHeadersToAdd],
        requestHeadersToRemove: [...headers.requestHeadersToRemove],
        responseHeadersToAdd: [...headers.responseHeadersToAdd],
        responseHeadersToRemove: [...headers.responseHeadersToRemove],
        hostRewriteSpecifier:
          authority === undefined
            ? { case: undefined }
            : ({ case: 'hostRewriteLiteral', value: authority } as const),
      });
      return madeOf(entry, ...target.origins);
    });
  return { clusters };
}

export function destinationCluster(destination: Destination, context: RouteContext): string {
  const host = destination.host ?? '';
  return outboundCluster(
    destination.port?.number ?? context.destinationPort(host),
    destination.subset,
    context.clusterHost(host),
  );
}

function hashOf(destination: Destination, context: RouteContext): readonly HashPolicyInit[] {
  const port = destination.port?.number ?? context.destinationPort(destination.host ?? '');
  return hashPolicies(context.hash(destination.host ?? '', port, destination.subset));
}

/**
 * What traces and the `x-envoy-decorator-operation` header call the route: the one cluster it goes to, else
 * its VirtualService.
 */
export function operation(
  ruleName: string,
  match: Init<typeof RouteSchema>['match'],
  action: Route['action'],
  port: number,
): string {
  const specifier = action.case === 'route' ? action.value.clusterSpecifier : undefined;
  const cluster = specifier?.case === 'cluster' ? parseClusterName(specifier.value) : undefined;
  return cluster
    ? `${cluster.host}:${cluster.port}${pathPattern(match)}`
    : `${ruleName}:${port}${pathPattern(match)}`;
}

function pathPattern(match: Init<typeof RouteSchema>['match']): string {
  const path = match?.pathSpecifier;
  switch (path?.case) {
    case 'prefix':
      return `${path.value}*`;
    case 'path':
      return path.value;
    case 'safeRegex':
      return path.value.regex ?? '';
    default:
      return '/*';
  }
}
