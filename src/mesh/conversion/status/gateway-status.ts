// The status of a Gateway and of its listeners.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.GatewayStatus
import type { Registry, Service } from '../../../registry/index.ts';
import {
  isUsable,
  lacksTls,
  type ServedGateway,
  type ServedListener,
  type ServedListenerSet,
} from '../gateway-api/gateways.ts';
import { gatewayGroup } from '../gateway-api/objects.ts';
import type { Problem } from '../gateway-api/problem.ts';
import { condition, type GatewayStatus, type ListenerStatus, type StatusCondition } from './condition.ts';

export interface GatewayStatusOptions {
  readonly registry: Registry;
  /** How many routes are attached to a listener. */
  attachedRoutes(listener: ServedListener): number;
  readonly clientCertificate?: Problem;
}

export function gatewayStatus(
  gateway: ServedGateway,
  { registry, attachedRoutes, clientCertificate }: GatewayStatusOptions,
): GatewayStatus {
  const added = gateway.sets.flatMap(({ listeners }) => listeners.filter(isUsable));
  return {
    conditions: [
      acceptedCondition(gateway),
      condition(
        'Programmed',
        programmingProblem(registry, gateway, [...gateway.listeners, ...added]),
        'the pods of its services listen',
      ),
      condition('ResolvedRefs', clientCertificate, 'all references lead somewhere'),
    ],
    listeners: gateway.listeners.map((listener) => listenerStatus(listener, attachedRoutes(listener))),
  };
}

/** With some good listeners the Gateway is taken; that some are bad is then told by the reason alone. */
function acceptedCondition({ problem, listeners }: ServedGateway): StatusCondition {
  const bad = listeners.filter((listener) => !isUsable(listener)).map(({ listener }) => listener.name);
  if (problem || bad.length === 0) return condition('Accepted', problem, 'the Gateway is served');
  const message = `listeners that cannot be served: ${bad.join(', ')}`;
  const accepted = condition('Accepted', { reason: 'ListenersNotValid', message });
  return bad.length < listeners.length ? { ...accepted, status: 'True' } : accepted;
}

/** Whether the services of the Gateway have its ports, and pods behind them. */
function programmingProblem(
  registry: Registry,
  { object, services, problem }: ServedGateway,
  listeners: readonly ServedListener[],
): Problem | undefined {
  if (services.length === 0) return problem;
  const ports = new Set(listeners.map(({ listener }) => listener.port));
  const faults = services.flatMap((host) => {
    const service = registry.service(`${object.metadata.namespace}/${host}`);
    if (!service)
      return [
        {
          reason: 'AddressNotUsable',
          message: `there is no service ${host} in ${object.metadata.namespace}`,
        },
      ];
    return [...ports].flatMap((port) => portFault(registry, service, port) ?? []);
  });
  // That an address is wrong matters more than that nobody is there yet.
  return faults.find(({ reason }) => reason === 'AddressNotUsable') ?? faults[0];
}

function portFault(registry: Registry, service: Service, number: number): Problem | undefined {
  const port = service.ports.find((candidate) => candidate.number === number);
  if (!port)
    return { reason: 'AddressNotUsable', message: `the service ${service.hostname} has no port ${number}` };
  const isServed = registry.endpoints(service.key).some(({ servicePort }) => servicePort === port.name);
  return isServed
    ? undefined
    : { reason: 'AddressNotAssigned', message: `no pod is behind the port ${number} of ${service.hostname}` };
}

/** A set is there as long as one of its listeners can be served. */
export function listenerSetStatus(
  gateway: ServedGateway,
  { refused, listeners }: ServedListenerSet,
  { registry, attachedRoutes }: Pick<GatewayStatusOptions, 'registry' | 'attachedRoutes'>,
): GatewayStatus {
  const noneUsable = listeners.length > 0 && !listeners.some(isUsable);
  const fault =
    refused ??
    (noneUsable
      ? { reason: 'ListenersNotValid', message: 'none of its listeners can be served' }
      : undefined);
  return {
    conditions: [
      condition('Accepted', fault, 'the Gateway has its listeners'),
      condition(
        'Programmed',
        fault ?? programmingProblem(registry, gateway, listeners.filter(isUsable)),
        'the pods of its services listen',
      ),
    ],
    listeners: listeners.map((listener) => listenerStatus(listener, attachedRoutes(listener))),
  };
}

function listenerStatus(served: ServedListener, attachedRoutes: number): ListenerStatus {
  return {
    name: served.listener.name,
    attachedRoutes,
    supportedKinds: served.kinds.map((kind) => ({ group: gatewayGroup, kind })),
    conditions: served.conflict ? conflicted(served.conflict) : listenerConditions(served),
  };
}

/** Nothing else is said of a listener that another one displaces. */
function conflicted(conflict: Problem): readonly StatusCondition[] {
  return [
    condition('Accepted', conflict),
    { type: 'Conflicted', status: 'True', reason: conflict.reason, message: conflict.message },
    condition('Programmed', conflict),
  ];
}

function listenerConditions({
  listener,
  asksForOtherKinds,
  protocolProblem,
  tlsProblem,
}: ServedListener): readonly StatusCondition[] {
  const otherKinds = asksForOtherKinds
    ? { reason: 'InvalidRouteKinds', message: 'it asks for kinds of routes that it cannot have' }
    : undefined;
  const noConflict: StatusCondition = {
    type: 'Conflicted',
    status: 'False',
    reason: 'NoConflicts',
    message: '',
  };
  return [
    condition('Accepted', protocolProblem ?? withoutAuthorities(tlsProblem)),
    noConflict,
    condition(
      'Programmed',
      tlsProblem || lacksTls(listener)
        ? { reason: 'Invalid', message: 'its TLS cannot be served' }
        : undefined,
    ),
    condition('ResolvedRefs', otherKinds ?? tlsProblem),
  ];
}

const authorityReasons: ReadonlySet<string> = new Set([
  'InvalidCACertificateRef',
  'InvalidCACertificateKind',
  'RefNotPermitted',
]);

/**
 * A listener is not taken when nobody can tell whom it should let in. The reference counts every reference
 * without a grant among these.
 */
function withoutAuthorities(problem: Problem | undefined): Problem | undefined {
  return problem && authorityReasons.has(problem.reason)
    ? { ...problem, reason: 'NoValidCACertificate' }
    : undefined;
}
