// What of a proxyless gRPC application decides its resources.
import type { Interner, MemoEngine } from '../../base/index.ts';
import {
  type Audience,
  audienceText,
  type Mesh,
  type MutualTlsMode,
  type ProxyNode,
} from '../../mesh/index.ts';
import { inboundPlan } from '../inbound-plan.ts';

/** As the view of a proxy, one object for all that are equal. */
export interface GrpcView {
  readonly type: 'grpc';
  readonly audience: Audience;
  /** With the locality: endpoints and their clusters. */
  readonly locatedAudience: Audience;
  readonly served: ServedPorts;
}

/** The ports that it serves itself, each with whether clients must show a certificate. */
export type ServedPorts = readonly { readonly port: number; readonly mutualTls: boolean }[];

const tlsModeLabel = 'security.istio.io/tlsMode';

export class GrpcViews {
  readonly #mesh: Mesh;
  readonly #served: Interner<ServedPorts>;
  readonly #views: Interner<GrpcView>;

  constructor(engine: MemoEngine, mesh: Mesh) {
    this.#mesh = mesh;
    this.#served = engine.interner();
    this.#views = engine.interner(textOf);
  }

  of(application: ProxyNode): GrpcView {
    const mesh = this.#mesh;
    const node = mesh.known(application);
    const client: ProxyNode = { ...node, type: 'sidecar', captured: true };
    return this.#views.intern({
      type: 'grpc',
      audience: mesh.audienceOf(client),
      locatedAudience: mesh.locatedAudienceOf(client),
      served: this.#served.intern(servedBy(mesh, node)),
    });
  }
}

function textOf({ audience, locatedAudience, served }: GrpcView): string {
  return JSON.stringify([audienceText(audience), audienceText(locatedAudience), served]);
}

function servedBy(mesh: Mesh, node: ProxyNode): ServedPorts {
  const isLabelled = node.labels[tlsModeLabel] === 'istio';
  return inboundPlan(mesh, node).ports.map(({ port, mutualTls }) => ({
    port,
    mutualTls: requiresTls(mutualTls, isLabelled),
  }));
}

// A gRPC server cannot serve both: one whose label makes clients use mutual TLS takes it, another one plain
// text.
function requiresTls(mode: MutualTlsMode, isLabelled: boolean): boolean {
  return mode === 'STRICT' || (mode === 'PERMISSIVE' && isLabelled);
}
