// Protocol names of ports.

const http = ['http', 'http2', 'http_proxy', 'grpc', 'grpc-web'];
const tls = ['https', 'tls'];
const tcp = ['tcp', 'mongo', 'redis', 'mysql', ...tls];

export const protocolNames = 'HTTP, HTTPS, HTTP2, GRPC, GRPC-WEB, TCP, TLS, MONGO, REDIS, MYSQL';

export function isKnownProtocol(name: string): boolean {
  const lower = name.toLowerCase();
  return http.includes(lower) || tcp.includes(lower) || lower === 'udp' || lower === 'hbone';
}

export function isHttp(name: string | undefined): boolean {
  return http.includes((name ?? '').toLowerCase());
}

export function isTls(name: string | undefined): boolean {
  return tls.includes((name ?? '').toLowerCase());
}

/** Plain TCP, TLS and the protocols that are carried as TCP. */
export function isTcp(name: string | undefined): boolean {
  return tcp.includes((name ?? '').toLowerCase());
}
