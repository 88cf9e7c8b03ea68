// Which listeners a sidecar has for the services it reaches. HTTP ports share one listener a port number,
// every other port has one an address; what claims the same place is merged, oldest service first.
import ipaddr from 'ipaddr.js';
import { within } from '../../base/index.ts';
import type { Audience, EgressScope, Mesh } from '../../mesh/index.ts';
import {
  isHttp,
  type Protocol,
  parseProtocol,
  type Service,
  type ServicePort,
} from '../../registry/index.ts';
import { detectedRouteName, isSocket, listenerName, sidecarRouteName } from '../names.ts';
import { anyAddress, isCapturing } from './capture-ports.ts';
import { normalRange } from './cidr-range.ts';
import { Claims } from './claims.ts';
import type { HttpChain, OutboundListenerPlan, TcpChain } from './plan.ts';
import { tcpChains } from './tcp-chains.ts';

interface Draft {
  readonly address: string;
  readonly port: number;
  readonly bound: boolean;
  /** Of everything on it: `auto` as soon as there is HTTP and something else. */
  protocol?: Protocol;
  /** Whether it is a listener that a Sidecar asked for: what comes later adds nothing. */
  locked?: boolean;
  http?: HttpChain;
  readonly claims: Claims;
  chains: TcpChain[];
  rest?: TcpChain | 'http';
}

type Drafts = Map<string, Draft>;

export function outboundPlans(mesh: Mesh, audience: Audience): readonly OutboundListenerPlan[] {
  const drafts: Drafts = new Map();
  for (const scope of mesh.scope(audience).egress) {
    if (!scope.port) for (const draft of drafts.values()) draft.locked = true;
    for (const service of mesh.servicesReachedBy(audience, scope)) {
      if (service.resolution === 'alias') continue;
      for (const port of portsOf(service, scope)) addPort(drafts, { mesh, audience, scope, service, port });
    }
  }
  return [...drafts.values()]
    .filter(({ address, port }) => !isCapturing(address, port, mesh.settings.config))
    .map(finish);
}

interface PortInput {
  readonly mesh: Mesh;
  readonly audience: Audience;
  readonly scope: EgressScope;
  readonly service: Service;
  readonly port: ServicePort;
}

/**
 * A Sidecar's listener with a port serves that port of every service, by the protocol that the Sidecar says.
 */
function portsOf(service: Service, { port }: EgressScope): readonly ServicePort[] {
  if (!port) return service.ports.filter(({ protocol }) => protocol !== 'udp');
  const number = port.number ?? 0;
  const own = service.ports.find((candidate) => candidate.number === number);
  return [
    {
      name: port.name ?? '',
      targetPort: own?.targetPort,
      number,
      protocol: parseProtocol(port.protocol),
      origin: own?.origin ?? within(service.origin, ''),
    },
  ];
}

function addPort(drafts: Drafts, input: PortInput): void {
  if (isHttp(input.port.protocol)) addHttp(drafts, input);
  else
    for (const place of placesOf(input).filter((one) => isNews(drafts, input, one)))
      addTcp(drafts, input, place);
}

/**
 * A port whose protocol is to be detected adds nothing where that is done already; what is no HTTP goes where
 * it went before.
 */
function isNews(drafts: Drafts, { port }: PortInput, { address }: Place): boolean {
  return port.protocol !== 'auto' || drafts.get(listenerName(address, port.number))?.protocol !== 'auto';
}

function addHttp(drafts: Drafts, { scope, audience, port, service }: PortInput): void {
  const draft = draftAt(drafts, bindOf(scope, audience) ?? anyAddress, port.number, isBound(scope, audience));
  if (!admits(draft, port.protocol)) return;
  // Only where everything arrives are bytes told apart: a listener of one address is for HTTP alone, unless
  // something else was there first.
  const isAlone = draft.address !== anyAddress && draft.protocol === undefined;
  if (isAlone) draft.rest = 'http';
  else if (draft.address !== anyAddress && !draft.http) return;
  draft.protocol = isAlone ? port.protocol : 'auto';
  const routeName = isSocket(draft.address) ? draft.address : sidecarRouteName(port.number);
  draft.http ??= { routeName, grpcWeb: port.protocol === 'grpc-web' };
  if (service.resolution === 'dynamic-dns') draft.http = { ...draft.http, dynamicDns: true };
}

const exclusive: ReadonlySet<Protocol> = new Set(['mongo', 'mysql']);

/**
 * Servers of these protocols speak first, so that nothing else can be told apart on their ports: the first
 * stays alone.
 */
function admits({ protocol, locked }: Draft, incoming: Protocol): boolean {
  if (locked) return false;
  return (
    protocol === undefined || protocol === incoming || !(exclusive.has(protocol) || exclusive.has(incoming))
  );
}

interface Place {
  readonly address: string;
  readonly subnet?: string;
  /** Whether no name has to tell the service from others. */
  readonly own: boolean;
}

/**
 * At an address that a Sidecar gives, names matter only to services that have no address of their own to be
 * dialled at.
 */
function tellsService(address: string | undefined, bind: string): boolean {
  return address === undefined ? bind !== anyAddress : !address.includes('/');
}

/** Where connections to a port that is not HTTP by declaration arrive. */
function placesOf({ mesh, audience, scope, service, port }: PortInput): readonly Place[] {
  const bind = bindOf(scope, audience);
  if (bind) return [{ address: bind, own: tellsService(mesh.addressesOf(audience, service)[0], bind) }];
  const addresses = mesh.addressesOf(audience, service);
  if (service.headless || (addresses.length === 0 && isReachedDirectly(service)))
    return endpointPlaces(mesh, service, port);
  if (addresses.length === 0) return [{ address: anyAddress, own: false }];
  return addresses.map((address) =>
    address.includes('/')
      ? { address: anyAddress, subnet: normalRange(address) ?? address, own: false }
      : { address, own: true },
  );
}

/** Without an address of its own, a service of selected workloads is reached by theirs. */
function isReachedDirectly({ resolution, selectsWorkloads }: Service): boolean {
  return resolution === 'original-destination' && selectsWorkloads === true;
}

function endpointPlaces(mesh: Mesh, service: Service, port: ServicePort): readonly Place[] {
  const own = mesh
    .endpoints(service)
    .filter((endpoint) => endpoint.servicePort === port.name && endpoint.health !== 'unhealthy');
  const addresses = [...new Set(own.map((endpoint) => endpoint.address))]
    .filter((address) => ipaddr.isValid(address))
    .sort();
  if (!mesh.features.headlessFilterChains) return addresses.map((address) => ({ address, own: true }));
  return addresses.map((address) => ({ address: anyAddress, subnet: address, own: false }));
}

function addTcp(drafts: Drafts, input: PortInput, place: Place): void {
  const { mesh, audience, scope, service, port } = input;
  const draft = draftAt(drafts, place.address, port.number, isBound(scope, audience));
  if (!admits(draft, port.protocol)) return;
  if (port.protocol === 'auto') {
    draft.http ??= {
      routeName:
        place.address === anyAddress
          ? sidecarRouteName(port.number)
          : detectedRouteName(service.hostname, port.number),
      grpcWeb: false,
    };
  }
  const { protocol = port.protocol } = draft;
  draft.protocol = port.protocol === 'auto' || isHttp(protocol) ? 'auto' : protocol;
  for (const chain of tcpChains({
    mesh,
    audience,
    egress: scope,
    service,
    port,
    subnet: place.subnet,
    ownAddress: place.own,
  }))
    addChain(draft, chain);
}

function addChain(draft: Draft, chain: TcpChain): void {
  if (chain.sniHosts.length === 0 && chain.subnets.length === 0) draft.rest ??= chain;
  else for (const claim of draft.claims.take(chain)) draft.chains.push({ ...chain, ...claim });
}

function draftAt(drafts: Drafts, address: string, port: number, bound: boolean): Draft {
  const name = listenerName(address, port);
  let draft = drafts.get(name);
  if (!draft) {
    draft = { address, port, bound, claims: new Claims(), chains: [] };
    drafts.set(name, draft);
  }
  return draft;
}

function bindOf(scope: EgressScope, audience: Audience): string | undefined {
  if (scope.bind) return scope.bind;
  return isBound(scope, audience) ? '127.0.0.1' : undefined;
}

function isBound(scope: EgressScope, audience: Audience): boolean {
  return !scope.captured || (scope.port !== undefined && !audience.captured);
}

function finish({ address, port, bound, http, chains, rest }: Draft): OutboundListenerPlan {
  return {
    name: listenerName(address, port),
    address,
    port,
    bound,
    http,
    chains,
    rest: rest ?? 'undeclared',
  };
}
