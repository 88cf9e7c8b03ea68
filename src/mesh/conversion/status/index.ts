// What a controller would write into the status of Gateway API objects, from the same decisions that the
// conversion is made of.
import type { ConfigStore, Registry } from '../../../registry/index.ts';
import { type Attachment, attachmentsOf, gatewayIndex } from '../gateway-api/attachment.ts';
import { policyTargets } from '../gateway-api/backend-tls-policies.ts';
import { controllerOf, type ServedGateway, type ServedListener } from '../gateway-api/gateways.ts';
import { certificate } from '../gateway-api/listener-tls.ts';
import { allRoutes, type RouteObject } from '../gateway-api/objects.ts';
import type { Problem } from '../gateway-api/problem.ts';
import { condition, type StatusObject } from './condition.ts';
import { gatewayStatus, listenerSetStatus } from './gateway-status.ts';
import { policyStatus } from './policy-status.ts';
import { routeStatus } from './route-status.ts';

export type * from './condition.ts';

/** For every object that is ours to answer for. */
export function gatewayApiStatus(store: ConfigStore, registry: Registry): readonly StatusObject[] {
  const gateways = gatewayIndex(store);
  const attached = allRoutes(store).map((route) => ({
    route,
    attachments: attachmentsOf(store, gateways, route),
  }));
  const counts = countRoutes(attached);
  return [
    ...classStatuses(store),
    ...[...gateways.gateways.values()].map((gateway) => ({
      kind: 'Gateway',
      metadata: nameOf(gateway.object),
      status: gatewayStatus(gateway, {
        registry,
        attachedRoutes: (listener) => counts.get(listener) ?? 0,
        clientCertificate: clientCertificateProblem(store, gateway),
      }),
    })),
    ...[...gateways.gateways.values()].flatMap((gateway) =>
      gateway.sets.map((set) => ({
        kind: 'ListenerSet',
        metadata: nameOf(set.object),
        status: listenerSetStatus(gateway, set, {
          registry,
          attachedRoutes: (listener) => counts.get(listener) ?? 0,
        }),
      })),
    ),
    ...attached
      .filter(({ attachments }) => attachments.length > 0)
      .map(({ route, attachments }) => ({
        kind: route.kind,
        metadata: nameOf(route),
        status: routeStatus(store, route, attachments),
      })),
    ...policyStatuses(store),
  ];
}

function classStatuses(store: ConfigStore): readonly StatusObject[] {
  return store
    .table('GatewayClass')
    .values()
    .filter(({ metadata }) => controllerOf(store, metadata.name) !== undefined)
    .map((object) => ({
      kind: 'GatewayClass',
      metadata: nameOf(object),
      status: { conditions: [condition('Accepted', undefined, 'Gateways of the class are served')] },
    }));
}

function policyStatuses(store: ConfigStore): readonly StatusObject[] {
  const targets = policyTargets(store);
  return store
    .table('BackendTLSPolicy')
    .values()
    .map((object) => ({
      kind: 'BackendTLSPolicy',
      metadata: nameOf(object),
      status: policyStatus(
        object,
        targets.filter(({ policy }) => policy === object),
      ),
    }));
}

interface AttachedRoute {
  readonly route: RouteObject;
  readonly attachments: readonly Attachment[];
}

function countRoutes(all: readonly AttachedRoute[]): ReadonlyMap<ServedListener, number> {
  const counts = new Map<ServedListener, number>();
  for (const { attachments } of all) {
    const listeners = attachments.flatMap(({ parent, denied }) =>
      parent.kind === 'listener' && !denied ? [parent.listener] : [],
    );
    for (const listener of new Set(listeners)) counts.set(listener, (counts.get(listener) ?? 0) + 1);
  }
  return counts;
}

/** The certificate that the gateway shows to its backends. */
function clientCertificateProblem(store: ConfigStore, { object }: ServedGateway): Problem | undefined {
  const ref = object.spec.tls?.backend?.clientCertificateRef;
  const problem = ref && certificate(store, object, ref).problem;
  return problem?.reason === 'InvalidCertificateRef'
    ? { ...problem, reason: 'InvalidClientCertificateRef' }
    : problem;
}

function nameOf({
  metadata,
}: {
  readonly metadata: { readonly name: string; readonly namespace: string };
}): StatusObject['metadata'] {
  return { name: metadata.name, namespace: metadata.namespace };
}
