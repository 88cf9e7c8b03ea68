// The names that Istio gives to clusters, listeners, route configurations and SNI, built and read in one
// place.

export type Direction = 'outbound' | 'inbound';

export interface ClusterName {
  readonly direction: Direction;
  readonly port: number;
  readonly subset: string;
  readonly host: string;
}

export const passthroughCluster = 'PassthroughCluster';
export const blackHoleCluster = 'BlackHoleCluster';
export const inboundPassthroughCluster = 'InboundPassthroughCluster';
export const dynamicDnsCluster = 'AllowAnyDynamicDNSCluster';

/** `outbound|9080|v1|reviews.default.svc.cluster.local` */
export function clusterName({ direction, port, subset, host }: ClusterName): string {
  return `${direction}|${port}|${subset}|${host}`;
}

export function outboundCluster(port: number, subset: string | undefined, host: string): string {
  return clusterName({ direction: 'outbound', port, subset: subset ?? '', host });
}

export function parseClusterName(name: string): ClusterName | undefined {
  const [direction, port, subset, host, ...rest] = name.split('|');
  if (
    (direction !== 'outbound' && direction !== 'inbound') ||
    subset === undefined ||
    host === undefined ||
    rest.length > 0
  )
    return undefined;
  const number = Number(port);
  return Number.isInteger(number) && port !== '' ? { direction, port: number, subset, host } : undefined;
}

/** Of the application beside a sidecar. */
export function inboundClusterName(port: number): string {
  return clusterName({ direction: 'inbound', port, subset: '', host: '' });
}

/** The SNI that stands for a cluster in mesh TLS: `outbound_.9080_.v1_.reviews.default.svc.cluster.local` */
export function clusterSni({ direction, port, subset, host }: ClusterName): string {
  return `${direction}_.${port}_.${subset}_.${host}`;
}

export function parseClusterSni(name: string): ClusterName | undefined {
  const [direction, port, subset, ...host] = name.split('_.');
  if (direction !== 'outbound' || subset === undefined || host.length === 0 || !/^\d+$/.test(port ?? ''))
    return undefined;
  return { direction, port: Number(port), subset, host: host.join('_.') };
}

/** `0.0.0.0_9080`; brackets and colons of IPv6 stay. */
export function listenerName(address: string, port: number): string {
  return `${address}_${port}`;
}

const socketScheme = 'unix://';

/** Whether the address of a listener, which is then also the name of its route table, is a Unix socket. */
export function isSocket(address: string): boolean {
  return address.startsWith(socketScheme);
}

export function socketPath(address: string): string {
  return address.slice(socketScheme.length);
}

/** Route table of every HTTP port that services share by number. */
export function sidecarRouteName(port: number): string {
  return String(port);
}

/** Route table of one service's port whose protocol is detected. */
export function detectedRouteName(host: string, port: number): string {
  return `${host}:${port}`;
}

export function parseSidecarRouteName(
  name: string,
): { readonly host?: string; readonly port: number } | undefined {
  const colon = name.lastIndexOf(':');
  const port = Number(name.slice(colon + 1));
  if (!Number.isInteger(port) || name === '') return undefined;
  return colon < 0 ? { port } : { host: name.slice(0, colon), port };
}

export const httpProxyRouteName = 'http_proxy';

export function gatewayHttpRouteName(port: number): string {
  return `http.${port}`;
}

/** Route table of one HTTPS server, which no other server shares. */
export function gatewayHttpsRouteName(server: {
  readonly port: number;
  readonly portName: string;
  readonly gateway: string;
  readonly namespace: string;
}): string {
  return `https.${server.port}.${server.portName}.${server.gateway}.${server.namespace}`;
}

/** `host:port`, the name of a virtual host. */
export function virtualHostName(host: string, port: number): string {
  return `${host}:${port}`;
}

/** How Istio names a resource in route and cluster metadata, and this proxy's explanations find it again. */
export function configPath(
  kind: 'virtual-service' | 'destination-rule',
  namespace: string,
  name: string,
): string {
  return `/apis/networking.istio.io/v1/namespaces/${namespace}/${kind}/${name}`;
}

const grpcServerPrefix = 'xds.istio.io/grpc/lds/inbound/';

/**
 * Of the listener that a gRPC server asks for: `xds.istio.io/grpc/lds/inbound/0.0.0.0:50051`. Undefined for
 * another name.
 */
export function grpcServerAddress(
  name: string,
): { readonly address: string; readonly port: number } | undefined {
  const found = name.startsWith(grpcServerPrefix)
    ? parseHostAndPort(name.slice(grpcServerPrefix.length))
    : undefined;
  return found && { address: found.host.replace(/^\[|\]$/g, ''), port: found.port };
}

/** `host:port`, as a gRPC channel names its target. */
export function parseHostAndPort(name: string): { readonly host: string; readonly port: number } | undefined {
  const [, host = '', port] = /^(.+):(\d+)$/.exec(name) ?? [];
  return port === undefined ? undefined : { host, port: Number(port) };
}
