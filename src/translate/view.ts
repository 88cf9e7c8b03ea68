// What of a proxy decides its resources, in parts that other proxies may share.
import { type Audience, audienceKey, type Mesh, type ProxyNode } from '../mesh/index.ts';
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
  /** JSON of the ports on which a gateway's pods listen, by port of its service; empty for sidecars. */
  readonly targetPorts: string;
  /** `address:port` of the explicit HTTP proxy; empty for none. */
  readonly httpProxy: string;
}

export function viewOf(mesh: Mesh, node: ProxyNode): View {
  const audience = mesh.audienceOf(node);
  const port = node.httpProxyPort || mesh.settings.proxyHttpPort;
  return {
    type: node.type,
    audience: audienceKey({ ...audience, locality: '' }),
    locatedAudience: audienceKey(audience),
    inbound: node.type === 'sidecar' ? JSON.stringify(inboundPlan(mesh, node)) : '',
    targetPorts: node.type === 'router' ? JSON.stringify(targetPorts(mesh, node)) : '',
    httpProxy: node.type === 'sidecar' && port > 0 ? `${node.captured ? '127.0.0.1' : (node.addresses[0] ?? '127.0.0.1')}:${port}` : '',
  };
}

export function parseInbound(text: string): InboundPlan {
  return JSON.parse(text) as InboundPlan;
}

export type TargetPorts = readonly (readonly [number, readonly number[]])[];

export function parseTargetPorts(text: string): (port: number) => readonly number[] {
  const ports = new Map(JSON.parse(text) as TargetPorts);
  return (port) => ports.get(port) ?? [port];
}

function targetPorts(mesh: Mesh, node: ProxyNode): TargetPorts {
  const ports = new Map<number, Set<number>>();
  for (const key of node.addresses.flatMap((address) => mesh.registry.keysAtAddress(address))) {
    const service = mesh.registry.service(key);
    if (!service) continue;
    for (const endpoint of mesh.endpoints(service)) {
      const port = service.ports.find((candidate) => candidate.name === endpoint.servicePort);
      if (!port || !node.addresses.includes(endpoint.address)) continue;
      ports.set(port.number, (ports.get(port.number) ?? new Set()).add(endpoint.port));
    }
  }
  return [...ports].map(([port, targets]) => [port, [...targets].sort((a, b) => a - b)] as const).sort(([a], [b]) => a - b);
}
