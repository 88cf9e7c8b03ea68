// What of a proxy decides its resources, in parts that other proxies may share.
import type { Interner, MemoEngine } from '../base/index.ts';
import {
  type Audience,
  audienceText,
  directPortsLabel,
  type GatewayTarget,
  type Mesh,
  type ProxyNode,
} from '../mesh/index.ts';
import { byAge } from '../registry/index.ts';
import { type InboundPlan, inboundPlan } from './inbound-plan.ts';

/**
 * Each part is one object for all proxies for which it is equal, and so is the view: they are keys of
 * memoised values. Proxies with one view get the same resources.
 */
export interface View {
  readonly type: Audience['type'];
  /** Who asks, without where from: listeners and routes do not depend on it. */
  readonly audience: Audience;
  /** Who asks and from where: endpoints and their clusters. */
  readonly locatedAudience: Audience;
  /** Of sidecars. */
  readonly inbound: InboundPlan | undefined;
  /** The service ports behind which a gateway's pods listen; none for sidecars. */
  readonly targets: readonly GatewayTarget[];
  /** Where its explicit HTTP proxy listens, if it has one. */
  readonly httpProxy: ProxyAddress | undefined;
  /** Whether it answers for the names of the mesh. */
  readonly nameServer: boolean;
}

export interface ProxyAddress {
  readonly address: string;
  readonly port: number;
}

export class Views {
  readonly #mesh: Mesh;
  readonly #inbound: Interner<InboundPlan>;
  readonly #targets: Interner<readonly GatewayTarget[]>;
  readonly #addresses: Interner<ProxyAddress>;
  readonly #views: Interner<View>;

  constructor(engine: MemoEngine, mesh: Mesh) {
    this.#mesh = mesh;
    this.#inbound = engine.interner();
    this.#targets = engine.interner();
    this.#addresses = engine.interner();
    this.#views = engine.interner(textOf);
  }

  of(proxy: ProxyNode): View {
    const mesh = this.#mesh;
    const node = mesh.known(proxy);
    const address = httpProxyOf(mesh, node);
    return this.#views.intern({
      type: node.type,
      audience: mesh.audienceOf(node),
      locatedAudience: mesh.locatedAudienceOf(node),
      inbound: node.type === 'sidecar' ? this.#inbound.intern(inboundPlan(mesh, node)) : undefined,
      targets: this.#targets.intern(node.type === 'router' ? targetsOf(mesh, node) : []),
      httpProxy: address && this.#addresses.intern(address),
      nameServer: node.type === 'sidecar' && (node.capturesDns ?? false),
    });
  }
}

function textOf({ audience, locatedAudience, ...parts }: View): string {
  return JSON.stringify([audienceText(audience), audienceText(locatedAudience), parts]);
}

function httpProxyOf(mesh: Mesh, node: ProxyNode): ProxyAddress | undefined {
  const port = node.httpProxyPort || mesh.settings.proxyHttpPort;
  if (node.type !== 'sidecar' || port <= 0) return undefined;
  return { address: node.captured ? '127.0.0.1' : (node.addresses[0] ?? '127.0.0.1'), port };
}

/** Those of the oldest service first. */
function targetsOf(mesh: Mesh, node: ProxyNode): readonly GatewayTarget[] {
  const keys = new Set(node.addresses.flatMap((address) => mesh.registry.keysAtAddress(address)));
  const services = [...keys].flatMap((key) => mesh.registry.service(key) ?? []).sort(byAge);
  const targets = services.flatMap((service) => {
    const own = mesh.endpoints(service).filter(({ address }) => node.addresses.includes(address));
    return service.ports.flatMap(({ name, number }) =>
      own
        .filter((endpoint) => endpoint.servicePort === name)
        .map((endpoint) => ({
          hostname: service.hostname,
          namespace: service.namespace,
          port: number,
          targetPort: endpoint.port,
          direct: service.labels[directPortsLabel] !== undefined,
        })),
    );
  });
  // Several addresses of one pod stand behind the same port.
  const seen = new Map(targets.map((target) => [Object.values(target).join(), target]));
  return [...seen.values()];
}
