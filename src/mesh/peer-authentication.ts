// Which mutual TLS a workload's port wants, from PeerAuthentication of the workload, its namespace, and the
// mesh.
// https://istio.io/latest/docs/reference/config/security/peer_authentication/
import type { PeerAuthentication } from '../config/index.ts';
import { type ObjectOf, olderFirst, selects } from '../registry/index.ts';

export type MutualTlsMode = 'DISABLE' | 'PERMISSIVE' | 'STRICT';

export interface MutualTls {
  readonly mode: MutualTlsMode;
  /** By the port that the workload listens on. */
  readonly ports: ReadonlyMap<number, MutualTlsMode>;
}

type PeerAuthenticationObject = ObjectOf<'PeerAuthentication'>;

export interface PeerAuthentications {
  readonly root: readonly PeerAuthenticationObject[];
  readonly namespace: readonly PeerAuthenticationObject[];
}

export function mutualTlsOf(all: PeerAuthentications, labels: Readonly<Record<string, string>>): MutualTls {
  const base = namespaceMode(all);
  const own = oldest(
    all.namespace.filter(
      (policy) => hasSelector(policy) && selects(policy.spec.selector?.matchLabels ?? {}, labels),
    ),
  );
  const mode = inherit(own?.spec.mtls?.mode, base);
  const ports = new Map<number, MutualTlsMode>();
  for (const [port, mtls] of Object.entries(own?.spec.portLevelMtls ?? {}))
    ports.set(Number(port), inherit(mtls?.mode, mode));
  return { mode, ports };
}

/** The mode of a namespace for workloads that no policy selects. */
export function namespaceMode(all: PeerAuthentications): MutualTlsMode {
  const mesh = oldest(all.root.filter((policy) => !hasSelector(policy)));
  const namespace = oldest(all.namespace.filter((policy) => !hasSelector(policy)));
  return inherit(namespace?.spec.mtls?.mode, inherit(mesh?.spec.mtls?.mode, 'PERMISSIVE'));
}

function inherit(
  mode: NonNullable<PeerAuthentication['mtls']>['mode'],
  parent: MutualTlsMode,
): MutualTlsMode {
  return mode === 'DISABLE' || mode === 'PERMISSIVE' || mode === 'STRICT' ? mode : parent;
}

function hasSelector(policy: PeerAuthenticationObject): boolean {
  return Object.keys(policy.spec.selector?.matchLabels ?? {}).length > 0;
}

function oldest(policies: readonly PeerAuthenticationObject[]): PeerAuthenticationObject | undefined {
  return [...policies].sort(olderFirst)[0];
}
