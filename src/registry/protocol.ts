// Application protocols and how a Kubernetes port comes by one.
// https://istio.io/latest/docs/ops/configuration/traffic-management/protocol-selection/

/** `auto` is detected connection by connection. */
export type Protocol =
  | 'auto'
  | 'grpc'
  | 'grpc-web'
  | 'http'
  | 'http2'
  | 'http_proxy'
  | 'https'
  | 'mongo'
  | 'mysql'
  | 'redis'
  | 'tcp'
  | 'tls'
  | 'udp'
  | 'unsupported';

const known: ReadonlySet<string> = new Set([
  'grpc',
  'grpc-web',
  'http',
  'http2',
  'http_proxy',
  'https',
  'mongo',
  'mysql',
  'redis',
  'tcp',
  'tls',
  'udp',
]);
const http: ReadonlySet<Protocol> = new Set<Protocol>(['http', 'http2', 'http_proxy', 'grpc', 'grpc-web']);
const http2: ReadonlySet<Protocol> = new Set<Protocol>(['http2', 'grpc', 'grpc-web']);
const tls: ReadonlySet<Protocol> = new Set<Protocol>(['https', 'tls']);

export const isHttp = (protocol: Protocol): boolean => http.has(protocol);
export const isHttp2 = (protocol: Protocol): boolean => http2.has(protocol);
export const isTls = (protocol: Protocol): boolean => tls.has(protocol);

/** The protocol that text of the API names; the empty text means detection. */
export function parseProtocol(text: string | undefined): Protocol {
  const name = (text ?? '').toLowerCase();
  if (name === '') return 'auto';
  return known.has(name) ? (name as Protocol) : 'unsupported';
}

const appProtocols: Readonly<Record<string, Protocol>> = {
  'kubernetes.io/h2c': 'http2',
  'kubernetes.io/ws': 'http',
  'kubernetes.io/wss': 'https',
};

/** Ports that are never detected because their servers may speak first: SMTP, DNS, MySQL, MongoDB. */
const serverFirstPorts: ReadonlySet<number> = new Set([25, 53, 3306, 27_017]);

export interface KubernetesPort {
  readonly name?: string;
  readonly port: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

/**
 * Of `appProtocol` when there is one, else of the port name, the part before the first dash; unknown words
 * mean detection.
 */
export function protocolOfPort(port: KubernetesPort): Protocol {
  if ((port.protocol ?? 'TCP') === 'UDP') return 'udp';
  const text = (port.appProtocol || port.name || '').toLowerCase();
  const named = appProtocols[text];
  if (named) return named;
  if (text.startsWith('grpc-web')) return 'grpc-web';
  const prefix = text.split('-', 1)[0] ?? '';
  if (known.has(prefix)) return prefix as Protocol;
  return serverFirstPorts.has(port.port) ? 'tcp' : 'auto';
}
