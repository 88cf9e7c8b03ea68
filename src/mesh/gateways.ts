// Gateways that a gateway proxy serves: their servers grouped by the port to listen on, and what each may
// serve.
// https://istio.io/latest/docs/reference/config/networking/gateway/
import { type Origin, within } from '../base/index.ts';
import type { Server } from '../config/index.ts';
import { isHttp, type ObjectOf, olderFirst, parseProtocol, selects } from '../registry/index.ts';

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
  readonly origin: Origin;
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

/** A port of a service that a gateway's pods stand behind. */
export interface GatewayTarget {
  readonly hostname: string;
  readonly namespace: string;
  readonly port: number;
  readonly targetPort: number;
  /** Whether Gateways that choose pods by labels mean the ports of the pods themselves. */
  readonly direct: boolean;
}

/**
 * What says that a Gateway is for the pods of services, not for pods with labels; host names with commas
 * between.
 */
export const gatewayServiceAnnotation = 'internal.istio.io/gateway-service';

/**
 * Of a Gateway that stands elsewhere than the pods that it is for: where these are. Users cannot write it.
 */
export const parentNamespaceAnnotation = 'internal.istio.io/parent-namespace';

/** On a service: ports of Gateways that choose pods by labels are not translated to its target ports. */
export const directPortsLabel = 'experimental.istio.io/disable-gateway-port-translation';

/** The Gateways that are for a proxy, grouped by what it listens on for them. */
export function gatewayPortsOf(
  gateways: readonly GatewayObject[],
  labels: Readonly<Record<string, string>>,
  targets: readonly GatewayTarget[],
): readonly GatewayPort[] {
  const chosen = [...gateways].sort(olderFirst).flatMap((gateway) => {
    const ports = portsFor(gateway, labels, targets);
    return ports ? [{ gateway, ports }] : [];
  });
  return groupServers(chosen);
}

type TranslatePort = (port: number) => readonly number[];

/** Where a Gateway's port is listened on by a proxy; undefined when the Gateway is not for the proxy. */
function portsFor(
  gateway: GatewayObject,
  labels: Readonly<Record<string, string>>,
  targets: readonly GatewayTarget[],
): TranslatePort | undefined {
  const services = gateway.metadata.annotations[gatewayServiceAnnotation]?.split(',');
  if (services) {
    const home = gateway.metadata.annotations[parentNamespaceAnnotation] ?? gateway.metadata.namespace;
    const own = targets.filter(
      ({ hostname, namespace }) => services.includes(hostname) && namespace === home,
    );
    if (own.length === 0) return undefined;
    return (port) =>
      [...new Set(own.filter((target) => target.port === port).map((target) => target.targetPort))].sort(
        (a, b) => a - b,
      );
  }
  if (!selects(gateway.spec.selector ?? {}, labels)) return undefined;
  // The first service that has the port decides; a port that no service has is listened on as it is.
  return (port) => [targets.find((target) => target.port === port && !target.direct)?.targetPort ?? port];
}

interface PortGroup {
  kind: GatewayPort['kind'];
  readonly port: number;
  readonly bind: string;
  readonly portNumber: number;
  readonly servers: GatewayServer[];
}

/**
 * Groups the servers by listener. On a port, the protocol of the oldest Gateway stays and servers that do not
 * fit it are left out.
 */
function groupServers(
  gateways: readonly { readonly gateway: GatewayObject; readonly ports: TranslatePort }[],
): readonly GatewayPort[] {
  const groups = new Map<string, PortGroup>();
  for (const { gateway, ports } of gateways) {
    for (const [index, server] of (gateway.spec.servers ?? []).entries()) {
      for (const port of ports(server.port?.number ?? 0)) {
        const entry = gatewayServer(gateway, server, index);
        const key = `${entry.bind}_${port}`;
        const group = groups.get(key);
        if (!group)
          groups.set(key, {
            kind: kindOf(server),
            port,
            bind: entry.bind,
            portNumber: entry.portNumber,
            servers: [entry],
          });
        else if (fits(group, server)) group.servers.push(entry);
      }
    }
  }
  return [...groups.values()];
}

function gatewayServer(gateway: GatewayObject, server: Server, index: number): GatewayServer {
  const namespace = gateway.metadata.namespace;
  return {
    gateway: `${namespace}/${gateway.metadata.name}`,
    gatewayNamespace: namespace,
    gatewayName: gateway.metadata.name,
    server,
    hosts: (server.hosts ?? []).map((host) => parseHost(host, namespace)),
    portNumber: server.port?.number ?? 0,
    bind: server.bind || '0.0.0.0',
    origin: within(gateway.origin, `spec.servers[${index}]`),
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

/** Whether connections go to the service that their SNI stands for. */
export function passesAutomatically(server: Server): boolean {
  return isTlsServer(server) && server.tls?.mode === 'AUTO_PASSTHROUGH';
}

function fits({ kind, servers }: PortGroup, server: Server): boolean {
  const own = kindOf(server);
  if (kind === 'http' || own === 'http') return own === kind;
  // Plain TCP and TLS may share a port: the inspector tells them apart. Nothing tells two plain TCP servers
  // apart.
  return own === 'tls' || servers.every((other) => kindOf(other.server) === 'tls');
}
