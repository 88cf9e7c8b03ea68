// The status of a Gateway and of its listeners.
// https://gateway-api.sigs.k8s.io/reference/spec/#gateway.networking.k8s.io/v1.GatewayStatus
import type { Registry, Service } from '../../../registry/index.ts';
import { isUsable, type ServedGateway, type ServedListener } from '../gateway-api/gateways.ts';
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
  return {
    conditions: [
      acceptedCondition(gateway),
      condition('Programmed', programmingProblem(registry, gateway), 'the pods of its services listen'),
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
function programmingProblem(registry: Registry, { object, services, problem, listeners }: ServedGateway): Problem | undefined {
  if (services.length === 0) return problem;
  const ports = new Set(listeners.map(({ listener }) => listener.port));
  const faults = services.flatMap((host) => {
    const service = registry.service(`${object.metadata.namespace}/${host}`);
    if (!service) return [{ reason: 'AddressNotUsable', message: `there is no service ${host} in ${object.metadata.namespace}` }];
    return [...ports].flatMap((port) => portFault(registry, service, port) ?? []);
  });
  // That an address is wrong matters more than that nobody is there yet.
  return faults.find(({ reason }) => reason === 'AddressNotUsable') ?? faults[0];
}

function portFault(registry: Registry, service: Service, number: number): Problem | undefined {
  const port = service.ports.find((candidate) => candidate.number === number);
  if (!port) return { reason: 'AddressNotUsable', message: `the service ${service.hostname} has no port ${number}` };
  const isServed = registry.endpoints(service.key).some(({ servicePort }) => servicePort === port.name);
  return isServed ? undefined : { reason: 'AddressNotAssigned', message: `no pod is behind the port ${number} of ${service.hostname}` };
}

function listenerStatus(served: ServedListener, attachedRoutes: number): ListenerStatus {
  const { listener, kinds, asksForOtherKinds, protocolProblem, tlsProblem } = served;
  const otherKinds = asksForOtherKinds
    ? { reason: 'InvalidRouteKinds', message: 'it asks for kinds of routes that it cannot have' }
    : undefined;
  const noConflict: StatusCondition = { type: 'Conflicted', status: 'False', reason: 'NoConflicts', message: '' };
  return {
    name: listener.name,
    attachedRoutes,
    supportedKinds: kinds.map((kind) => ({ group: gatewayGroup, kind })),
    conditions: [
      condition('Accepted', protocolProblem ?? withoutAuthorities(tlsProblem)),
      noConflict,
      condition('Programmed', tlsProblem && { reason: 'Invalid', message: 'its TLS cannot be served' }),
      condition('ResolvedRefs', otherKinds ?? tlsProblem),
    ],
  };
}

const authorityReasons: ReadonlySet<string> = new Set(['InvalidCACertificateRef', 'InvalidCACertificateKind', 'RefNotPermitted']);

/** A listener is not taken when nobody can tell whom it should let in. The reference counts every reference without a grant among these. */
function withoutAuthorities(problem: Problem | undefined): Problem | undefined {
  return problem && authorityReasons.has(problem.reason) ? { ...problem, reason: 'NoValidCACertificate' } : undefined;
}
