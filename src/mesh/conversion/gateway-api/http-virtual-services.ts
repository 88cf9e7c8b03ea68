// HTTPRoutes and GRPCRoutes as VirtualServices: one a parent and host, with the rules of all routes that
// share it, in the order of the API.
import type { GatewayHTTPRouteMatch, HTTPRoute } from '../../../config/index.ts';
import type { ConfigStore } from '../../../registry/index.ts';
import { type Generated, generatedVirtualService } from '../generated.ts';
import { type Attachment, effectiveAttachments, type GatewayIndex, hostsAt } from './attachment.ts';
import { backendResolver } from './backends.ts';
import { convertGrpcRule, type GrpcMatch } from './grpc-rule.ts';
import { convertHttpRule } from './http-rule.ts';
import { type HttpRouteObject, httpRoutes, olderObject } from './objects.ts';
import type { Attempt } from './problem.ts';
import { rulePrecedence } from './rule-precedence.ts';

/** A rule of a route, for one of its matches. */
interface PlacedRule {
  readonly route: HttpRouteObject;
  readonly rule: HTTPRoute;
}

interface Place {
  readonly name: string;
  readonly gateway: string;
  readonly host: string;
  /** Whether the clients of the route's own namespace alone are concerned. */
  readonly isConsumer: boolean;
  readonly port?: number;
}

export function httpVirtualServices(store: ConfigStore, gateways: GatewayIndex): readonly Generated[] {
  const drafts = new Map<string, { readonly place: Place; readonly rules: PlacedRule[] }>();
  for (const route of [...httpRoutes(store)].sort(olderObject)) {
    const converted = new Map<string, readonly Attempt<HTTPRoute>[]>();
    for (const attachment of effectiveAttachments(store, gateways, route)) {
      const { kind } = attachment.parent;
      const rules = converted.get(kind) ?? convertRoute(store, route, kind === 'listener');
      converted.set(kind, rules);
      for (const place of placesOf(attachment, route)) {
        const draft = drafts.get(place.name) ?? { place, rules: [] };
        drafts.set(place.name, draft);
        // Two references to one parent are one.
        if (!draft.rules.some((placed) => placed.route === route))
          draft.rules.push(...rules.map(({ value }) => ({ route, rule: value })));
      }
    }
  }
  return [...drafts.values()].flatMap(({ place, rules }) => virtualService(place, rules));
}

/** The rules of a route, one a match, in the order of the route, with what is wrong with each. */
export function convertRoute(
  store: ConfigStore,
  route: HttpRouteObject,
  atGateway: boolean,
): readonly Attempt<HTTPRoute>[] {
  const { namespace, name } = route.metadata;
  const resolve = backendResolver({ store, kind: route.kind, namespace, needsGrant: atGateway });
  if (route.kind === 'HTTPRoute')
    return (route.spec.rules ?? []).flatMap((rule, i) =>
      orNone<GatewayHTTPRouteMatch>(rule.matches).map((match) =>
        convertHttpRule(rule, `${namespace}.${name}.${i}`, match, resolve),
      ),
    );
  return (route.spec.rules ?? []).flatMap((rule, i) =>
    orNone<GrpcMatch>(rule.matches).map((match) =>
      convertGrpcRule(rule, `${namespace}.${name}.${i}`, match, resolve),
    ),
  );
}

function orNone<T>(matches: readonly T[] | undefined): readonly (T | undefined)[] {
  return matches?.length ? matches : [undefined];
}

function placesOf({ parent }: Attachment, route: HttpRouteObject): readonly Place[] {
  const { namespace } = route.metadata;
  if (parent.kind === 'mesh') {
    const prefix = parent.port === undefined ? namespace : `${namespace}~${parent.port}`;
    return parent.hosts.map((host) => ({
      name: `${prefix}~${host}`,
      gateway: 'mesh',
      host,
      isConsumer: parent.namespace !== namespace,
      port: parent.port,
    }));
  }
  const { internalName } = parent.listener;
  return hostsAt(parent, route).map((host) => ({
    name: `${internalName.replace('/', '~')}~${host}`,
    gateway: internalName,
    host,
    isConsumer: false,
  }));
}

function virtualService(
  { name, gateway, host, isConsumer, port }: Place,
  rules: readonly PlacedRule[],
): readonly Generated[] {
  const first = rules[0]?.route;
  if (!first) return [];
  const http = [...rules]
    .sort((a, b) => rulePrecedence(a.rule, b.rule))
    .map(({ rule }) => atPort(rule, port));
  return [
    generatedVirtualService(first, name, 'gateway', {
      hosts: [host],
      gateways: [gateway],
      exportTo: isConsumer ? ['.'] : undefined,
      http,
    }),
  ];
}

function atPort(rule: HTTPRoute, port: number | undefined): HTTPRoute {
  if (port === undefined) return rule;
  return {
    ...rule,
    match: rule.match?.length ? rule.match.map((match) => ({ ...match, port })) : [{ port }],
  };
}
