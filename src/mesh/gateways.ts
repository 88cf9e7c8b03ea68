// Gateways that a gateway proxy serves: their servers grouped by the port to listen on, and what each may serve.
// https://istio.io/latest/docs/reference/config/networking/gateway/
import type { Server } from '../config/index.ts';
import { isHttp, type ObjectOf, overlaps, parseProtocol, selects } from '../registry/index.ts';

export type GatewayObject = ObjectOf<'Gateway'>;

export interface GatewayServer {
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
  readonly gatewayNamespace: string;
  readonly gatewayName: string;
  readonly server: Server;
  readonly hosts: readonly GatewayHost[];
  /** Port of the Gateway, before translation to the port that the gateway's pods listen on. */
  readonly portNumber: number;
  readonly bind: string;
}

export interface GatewayHost {
  /** A namespace, or `*`. */
  readonly namespace: string;
  readonly host: string;
}

/** How the servers of one address and port are served: one HTTP route table, or a filter chain each. */
export interface GatewayPort {
  readonly bind: string;
  readonly port: number;
  /** Port of the Gateway resources. */
  readonly portNumber: number;
  readonly kind: 'http' | 'tls' | 'tcp';
  readonly servers: readonly GatewayServer[];
}

export function selectsGateway(gateway: GatewayObject, labels: Readonly<Record<string, string>>): boolean {
  return selects(gateway.spec.selector ?? {}, labels);
}

/** Groups the servers by listener. On a port, the protocol of the oldest Gateway stays and servers that do not fit it are left out. */
export function groupServers(gateways: readonly GatewayObject[], targetPort: (port: number) => readonly number[]): readonly GatewayPort[] {
  const ports = new Map<string, { kind: GatewayPort['kind']; port: number; bind: string; portNumber: number; servers: GatewayServer[] }>();
  for (const gateway of [...gateways].sort(olderGatewayFirst)) {
    for (const server of gateway.spec.servers ?? []) {
      for (const port of targetPort(server.port?.number ?? 0)) {
        const entry = gatewayServer(gateway, server);
        const key = `${entry.bind}_${port}`;
        const group = ports.get(key);
        if (!group) ports.set(key, { kind: kindOf(server), port, bind: entry.bind, portNumber: entry.portNumber, servers: [entry] });
        else if (fits(group.kind, server)) group.servers.push(entry);
      }
    }
  }
  return [...ports.values()];
}

function gatewayServer(gateway: GatewayObject, server: Server): GatewayServer {
  const namespace = gateway.metadata.namespace;
  return {
    gateway: `${namespace}/${gateway.metadata.name}`,
    gatewayNamespace: namespace,
    gatewayName: gateway.metadata.name,
    server,
    hosts: (server.hosts ?? []).map((host) => parseHost(host, namespace)),
    portNumber: server.port?.number ?? 0,
    bind: server.bind || '0.0.0.0',
  };
}

function parseHost(text: string, own: string): GatewayHost {
  const slash = text.indexOf('/');
  if (slash < 0) return { namespace: '*', host: text.toLowerCase() };
  const namespace = text.slice(0, slash);
  return { namespace: namespace === '.' ? own : namespace, host: text.slice(slash + 1).toLowerCase() };
}

function kindOf(server: Server): GatewayPort['kind'] {
  const protocol = parseProtocol(server.port?.protocol);
  if (isTlsServer(server)) return 'tls';
  return isHttp(protocol) ? 'http' : 'tcp';
}

/** Whether connections to the server begin with TLS. */
export function isTlsServer(server: Server): boolean {
  const protocol = parseProtocol(server.port?.protocol);
  return protocol === 'https' || protocol === 'tls';
}

/** Whether the server ends TLS itself and then speaks HTTP. */
export function terminatesHttps(server: Server): boolean {
  return parseProtocol(server.port?.protocol) === 'https' && !isPassthrough(server);
}

export function isPassthrough(server: Server): boolean {
  const mode = server.tls?.mode ?? 'PASSTHROUGH';
  return isTlsServer(server) && (mode === 'PASSTHROUGH' || mode === 'AUTO_PASSTHROUGH');
}

function fits(kind: GatewayPort['kind'], server: Server): boolean {
  const own = kindOf(server);
  // Plain TCP and TLS may share a port: the inspector tells them apart.
  return own === kind || (kind !== 'http' && own !== 'http');
}

/** Whether a host of a VirtualService may be served: some entry covers or is covered, for the VirtualService's namespace. */
export function servesHost(server: GatewayServer, host: string, namespace: string): boolean {
  return server.hosts.some((entry) => (entry.namespace === '*' || entry.namespace === namespace) && overlaps(entry.host, host));
}

function olderGatewayFirst(a: GatewayObject, b: GatewayObject): number {
  const age = (a.metadata.creationTimestamp ?? 0) - (b.metadata.creationTimestamp ?? 0);
  if (age !== 0) return age;
  const [left, right] = [`${a.metadata.name}.${a.metadata.namespace}`, `${b.metadata.name}.${b.metadata.namespace}`];
  return left < right ? -1 : left > right ? 1 : 0;
}
