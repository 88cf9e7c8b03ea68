// What one client may reach: the Sidecar resource that applies to it, or everything visible when none does.
// https://istio.io/latest/docs/reference/config/networking/sidecar/
import type { IstioEgressListener, SidecarOutboundTrafficPolicy } from '../config/index.ts';
import { covers, type ObjectOf, overlaps, type Service, selects } from '../registry/index.ts';

export interface HostImport {
  /** A namespace, or `*`. */
  readonly namespace: string;
  readonly host: string;
  readonly exclude: boolean;
}

export interface EgressScope {
  readonly port?: IstioEgressListener['port'];
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

export function scopeOf(sidecar: ObjectOf<'Sidecar'> | undefined): SidecarScope {
  if (!sidecar) return { egress: [everything] };
  const namespace = sidecar.metadata.namespace;
  const listeners = sidecar.spec.egress ?? [];
  return {
    sidecar,
    egress: listeners.length > 0 ? listeners.map((listener) => egressScope(listener, namespace)) : [everything],
    outboundTrafficPolicy: sidecar.spec.outboundTrafficPolicy,
  };
}

function egressScope(listener: IstioEgressListener, namespace: string): EgressScope {
  return {
    port: listener.port,
    bind: listener.bind || undefined,
    captured: listener.captureMode !== 'NONE',
    imports: (listener.hosts ?? []).map((host) => parseImport(host, namespace)),
  };
}

function parseImport(text: string, own: string): HostImport {
  const slash = text.indexOf('/');
  const [namespace, host] = slash < 0 ? ['*', text] : [text.slice(0, slash), text.slice(slash + 1)];
  // `~/*` imports nothing; `~shop/*` takes away what other entries imported.
  if (namespace === '~') return { namespace: '', host: '', exclude: false };
  const exclude = namespace.startsWith('~');
  const name = exclude ? namespace.slice(1) : namespace;
  return { namespace: name === '.' ? own : name, host: host.toLowerCase(), exclude };
}

export function importsService(scope: EgressScope, service: Service): boolean {
  return included(
    scope,
    (entry) => (entry.namespace === '*' || entry.namespace === service.namespace) && covers(entry.host, service.hostname),
  );
}

export function importsVirtualService(scope: EgressScope, namespace: string, hosts: readonly string[]): boolean {
  return included(
    scope,
    (entry) => (entry.namespace === '*' || entry.namespace === namespace) && hosts.some((host) => overlaps(entry.host, host)),
  );
}

function included(scope: EgressScope, matches: (entry: HostImport) => boolean): boolean {
  return scope.imports.some((entry) => !entry.exclude && matches(entry)) && !scope.imports.some((entry) => entry.exclude && matches(entry));
}

/** The Sidecar for a workload: one that selects it, else its namespace's, else the root namespace's; the oldest of several. */
export function chooseSidecar(
  own: readonly ObjectOf<'Sidecar'>[],
  root: readonly ObjectOf<'Sidecar'>[],
  labels: Readonly<Record<string, string>>,
): ObjectOf<'Sidecar'> | undefined {
  const sorted = [...own].sort(oldest);
  return (
    sorted.find((sidecar) => hasSelector(sidecar) && selects(sidecar.spec.workloadSelector?.labels ?? {}, labels)) ??
    sorted.find((sidecar) => !hasSelector(sidecar)) ??
    [...root].sort(oldest).find((sidecar) => !hasSelector(sidecar))
  );
}

function hasSelector(sidecar: ObjectOf<'Sidecar'>): boolean {
  return Object.keys(sidecar.spec.workloadSelector?.labels ?? {}).length > 0;
}

function oldest(a: ObjectOf<'Sidecar'>, b: ObjectOf<'Sidecar'>): number {
  return (a.metadata.creationTimestamp ?? 0) - (b.metadata.creationTimestamp ?? 0) || (a.metadata.name < b.metadata.name ? -1 : 1);
}
