// What of a proxy decides its resources, in parts that other proxies may share.
import {
  type Audience,
  audienceKey,
  directPortsLabel,
  type GatewayTarget,
  type Mesh,
  type ProxyNode,
} from '../mesh/index.ts';
import { byAge } from '../registry/index.ts';
import { type InboundPlan, inboundPlan } from './listeners/inbound-plan.ts';

/** Plain text parts, each a key of memoised values. Proxies with equal views get the same resources. */
export interface View {
  readonly type: Audience['type'];
  /** Who asks, without where from: listeners and routes do not depend on it. */
  readonly audience: string;
  /** Who asks and from where: endpoints and their clusters. */
  readonly locatedAudience: string;
  /** JSON of the InboundPlan; empty for gateways. */
  readonly inbound: string;
  /** JSON of the ports on which a gateway's pods listen for its services; empty for sidecars. */
  readonly targetPorts: string;
  /** `address:port` of the explicit HTTP proxy; empty for none. */
  readonly httpProxy: string;
  /** Whether it answers for the names of the mesh. */
  readonly nameServer: boolean;
}

export function viewOf(mesh: Mesh, proxy: ProxyNode): View {
  const node = mesh.known(proxy);
  const port = node.httpProxyPort || mesh.settings.proxyHttpPort;
  return {
    type: node.type,
    audience: audienceKey(mesh.audienceOf(node)),
    locatedAudience: audienceKey(mesh.locatedAudienceOf(node)),
    inbound: node.type === 'sidecar' ? JSON.stringify(inboundPlan(mesh, node)) : '',
    targetPorts: node.type === 'router' ? JSON.stringify(targetPorts(mesh, node)) : '',
    nameServer: node.type === 'sidecar' && (node.capturesDns ?? false),
    httpProxy:
      node.type === 'sidecar' && port > 0
        ? `${node.captured ? '127.0.0.1' : (node.addresses[0] ?? '127.0.0.1')}:${port}`
        : '',
  };
}

export function parseInbound(text: string): InboundPlan {
  return JSON.parse(text) as InboundPlan;
}

export function parseTargetPorts(text: string): readonly GatewayTarget[] {
  return JSON.parse(text) as readonly GatewayTarget[];
}

/** The service ports behind which a gateway's pod stands, those of the oldest service first. */
function targetPorts(mesh: Mesh, node: ProxyNode): readonly GatewayTarget[] {
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
  return [...new Map(targets.map((target) => [JSON.stringify(target), target])).values()];
}
