// What one client may reach: the Sidecar resource that applies to it, or everything visible when none does.
// https://istio.io/latest/docs/reference/config/networking/sidecar/
import type { IstioEgressListener, SidecarOutboundTrafficPolicy } from '../config/index.ts';
import {
  covers,
  type ObjectOf,
  olderFirst,
  overlaps,
  parseProtocol,
  type Service,
  selects,
} from '../registry/index.ts';
import type { VirtualServiceModel } from './virtual-service.ts';

export interface HostImport {
  /** A namespace, or `*`. */
  readonly namespace: string;
  readonly host: string;
  readonly exclude: boolean;
}

export interface EgressScope {
  readonly port?: IstioEgressListener['port'];
  /** The port that it has of services, where it has not all of them. */
  readonly onlyPort?: number;
  readonly bind?: string;
  readonly captured: boolean;
  readonly imports: readonly HostImport[];
}

export interface SidecarScope {
  readonly sidecar?: ObjectOf<'Sidecar'>;
  readonly egress: readonly EgressScope[];
  readonly outboundTrafficPolicy?: SidecarOutboundTrafficPolicy;
}

const everything: EgressScope = { captured: true, imports: [{ namespace: '*', host: '*', exclude: false }] };

/** A Sidecar of the root namespace is read as if it stood in the client's. */
export function scopeOf(sidecar: ObjectOf<'Sidecar'> | undefined, namespace: string): SidecarScope {
  if (!sidecar) return { egress: [everything] };
  const listeners = sidecar.spec.egress ?? [];
  return {
    sidecar,
    egress:
      listeners.length > 0 ? listeners.map((listener) => egressScope(listener, namespace)) : [everything],
    outboundTrafficPolicy: sidecar.spec.outboundTrafficPolicy,
  };
}

/**
 * The listener of a scope that requests arrive at for a port, or at a Unix socket or whatever else has a
 * name.
 */
export function egressFor(scope: SidecarScope, place: number | string): EgressScope | undefined {
  return scope.egress.find(
    ({ port, bind }) => !port || (typeof place === 'number' ? port.number === place : bind === place),
  );
}

function egressScope(listener: IstioEgressListener, namespace: string): EgressScope {
  // As an HTTP proxy a listener serves requests for every port.
  const isProxy = parseProtocol(listener.port?.protocol) === 'http_proxy';
  return {
    port: listener.port,
    onlyPort: isProxy ? undefined : listener.port?.number || undefined,
    bind: listener.bind || undefined,
    captured: listener.captureMode !== 'NONE',
    imports: (listener.hosts ?? []).map((host) => parseImport(host, namespace)),
  };
}

// `~shop/*` takes away what other entries import, and so does `~/*`: everything.
function parseImport(text: string, own: string): HostImport {
  const slash = text.indexOf('/');
  const [namespace, host] = slash < 0 ? ['*', text] : [text.slice(0, slash), text.slice(slash + 1)];
  const exclude = namespace.startsWith('~');
  const name = (exclude ? namespace.slice(1) : namespace) || '*';
  return { namespace: name === '.' ? own : name, host: host.toLowerCase(), exclude };
}

/** What a listener has of a service: the whole, its one port of it, or nothing. */
export function importedPart(scope: EgressScope, service: Service): Service | undefined {
  return importsService(scope, service)
    ? withPorts(service, scope.onlyPort === undefined ? undefined : [scope.onlyPort])
    : undefined;
}

/** The service with no other ports than these; undefined when it has none of them. */
export function withPorts(service: Service, numbers: readonly number[] | undefined): Service | undefined {
  if (!numbers) return service;
  const ports = service.ports.filter(({ number }) => numbers.includes(number));
  if (ports.length === service.ports.length) return service;
  return ports.length > 0 ? { ...service, ports } : undefined;
}

export function importsService(
  scope: EgressScope,
  { namespace, hostname }: Pick<Service, 'namespace' | 'hostname'>,
): boolean {
  return (
    isIncluded(scope, namespace, (host) => covers(host, hostname)) && !isExcluded(scope, namespace, hostname)
  );
}

/** Whether some host of a VirtualService is imported. In Istio's own way, one that overlaps will do. */
export function importsVirtualService(
  scope: EgressScope,
  { namespace, hosts, semantics }: Pick<VirtualServiceModel, 'namespace' | 'hosts' | 'semantics'>,
): boolean {
  const fits = semantics === 'gateway' ? covers : overlaps;
  return hosts.some(
    (own) => isIncluded(scope, namespace, (host) => fits(host, own)) && !isExcluded(scope, namespace, own),
  );
}

function isIncluded({ imports }: EgressScope, namespace: string, fits: (host: string) => boolean): boolean {
  return imports.some((entry) => !entry.exclude && isFrom(entry, namespace) && fits(entry.host));
}

function isExcluded({ imports }: EgressScope, namespace: string, host: string): boolean {
  return imports.some((entry) => entry.exclude && isFrom(entry, namespace) && covers(entry.host, host));
}

function isFrom(entry: HostImport, namespace: string): boolean {
  return entry.namespace === '*' || entry.namespace === namespace;
}

/**
 * The Sidecar for a workload: one that selects it, else its namespace's, else the root namespace's; the
 * oldest of several.
 */
export function chooseSidecar(
  own: readonly ObjectOf<'Sidecar'>[],
  root: readonly ObjectOf<'Sidecar'>[],
  labels: Readonly<Record<string, string>>,
): ObjectOf<'Sidecar'> | undefined {
  const sorted = [...own].sort(olderFirst);
  return (
    sorted.find(
      (sidecar) => hasSelector(sidecar) && selects(sidecar.spec.workloadSelector?.labels ?? {}, labels),
    ) ??
    sorted.find((sidecar) => !hasSelector(sidecar)) ??
    [...root].sort(olderFirst).find((sidecar) => !hasSelector(sidecar))
  );
}

/** An empty selector selects every workload, before the Sidecars without one. */
function hasSelector(sidecar: ObjectOf<'Sidecar'>): boolean {
  return sidecar.spec.workloadSelector !== undefined;
}
