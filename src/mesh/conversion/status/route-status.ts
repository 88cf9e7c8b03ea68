// The status of a route: for each parent whether it is attached, and whether its references lead somewhere.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.RouteStatus
import type { ParentReference } from '../../../config/index.ts';
import type { ConfigStore } from '../../../registry/index.ts';
import type { Attachment } from '../gateway-api/attachment.ts';
import { convertRoute } from '../gateway-api/http-virtual-services.ts';
import { convertL4Rules } from '../gateway-api/l4-virtual-services.ts';
import { defaultController, type RouteObject } from '../gateway-api/objects.ts';
import type { Problem } from '../gateway-api/problem.ts';
import { condition, type ParentStatus, type ReportedCondition, type RouteStatusReport } from './condition.ts';

export function routeStatus(
  store: ConfigStore,
  route: RouteObject,
  attachments: readonly Attachment[],
): RouteStatusReport {
  const given = route.spec.status?.parents ?? [];
  const foreign = given.filter(({ controllerName }) => controllerName !== defaultController);
  const own = [...byReference(attachments).values()].map((group) => parentStatus(store, route, group));
  return {
    parents: [
      ...foreign.map(({ parentRef, controllerName = '', conditions = [] }) => ({
        parentRef: { ...parentRef },
        controllerName,
        conditions,
      })),
      ...own,
    ],
  };
}

/** A reference without a section means every listener of a Gateway, and has one entry all the same. */
function byReference(attachments: readonly Attachment[]): ReadonlyMap<string, readonly Attachment[]> {
  const groups = new Map<string, Attachment[]>();
  for (const attachment of attachments) {
    const key = textOf(attachment.reference);
    groups.set(key, [...(groups.get(key) ?? []), attachment]);
  }
  return groups;
}

function textOf(reference: ParentReference): string {
  return JSON.stringify(Object.entries(reference).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What concerns the route itself is more telling than that some other listener was not meant. */
const reasons = ['NotAllowedByListeners', 'NoMatchingListenerHostname', 'NoMatchingParent'];

function parentStatus(store: ConfigStore, route: RouteObject, group: readonly Attachment[]): ParentStatus {
  const [first] = group;
  const reference = first?.reference ?? { name: '' };
  const isAttached = group.some(({ denied }) => !denied);
  const denials = group.flatMap(({ denied }) => denied ?? []);
  const denied = reasons.flatMap((reason) => denials.filter((denial) => denial.reason === reason))[0];
  const conditions = [
    condition('Accepted', isAttached ? undefined : denied, 'the route is attached'),
    condition(
      'ResolvedRefs',
      ruleProblem(store, route, first?.parent.kind === 'listener'),
      'all references lead somewhere',
    ),
  ];
  return {
    parentRef: { ...reference },
    controllerName: defaultController,
    conditions: merged(given(route, reference), conditions),
  };
}

/** Of several rules the last that has a problem is reported. */
function ruleProblem(store: ConfigStore, route: RouteObject, atGateway: boolean): Problem | undefined {
  const isHttp = route.kind === 'HTTPRoute' || route.kind === 'GRPCRoute';
  const rules: readonly { readonly problem?: Problem }[] = isHttp
    ? convertRoute(store, route, atGateway)
    : convertL4Rules(store, route, atGateway);
  return rules.findLast(({ problem }) => problem)?.problem;
}

function given(route: RouteObject, reference: ParentReference): readonly ReportedCondition[] {
  const wanted = identity(route, reference);
  const entry = route.spec.status?.parents?.find(
    ({ parentRef, controllerName }) =>
      controllerName === defaultController && parentRef && identity(route, parentRef) === wanted,
  );
  return entry?.conditions ?? [];
}

function identity({ metadata }: RouteObject, reference: ParentReference): string {
  const {
    group = 'gateway.networking.k8s.io',
    kind = 'Gateway',
    namespace = metadata.namespace,
    name,
    sectionName,
    port,
  } = reference;
  return [group, kind, namespace, name, sectionName, port].join('/');
}

/** Conditions of types that are not ours stay. */
function merged(
  before: readonly ReportedCondition[],
  own: readonly ReportedCondition[],
): readonly ReportedCondition[] {
  return [...before.filter(({ type }) => !own.some((condition) => condition.type === type)), ...own];
}
