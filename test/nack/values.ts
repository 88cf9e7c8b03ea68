// What random resources are filled with: names that refer to each other, and values at the edges of what is
// allowed.
import type { Random } from './random.ts';

type Choices = readonly [unknown, ...unknown[]];

export const services = ['shop', 'cart', 'db', 'headless'] as const;
export const entryHosts = [
  'a.example.com',
  'b.example.com',
  '*.wild.example.com',
  'only.a.example.com',
  'xn--bcher-kva.example',
  'UPPER.example.com',
] as const;
const hosts: Choices = [
  ...services,
  ...services.map((name) => `${name}.default.svc.cluster.local`),
  ...entryHosts,
  'unknown.example.com',
  '*.example.com',
  `${'x'.repeat(63)}.${'y'.repeat(63)}.example.com`,
];
const words: Choices = ['a', 'v1', 'x-y', 'A1', '0', 'a'.repeat(63)];
const texts: Choices = [
  'a',
  '',
  'a b',
  'ä€',
  '%',
  '100%%',
  '"',
  '\\',
  '%REQ(x-a)%',
  '%DOWNSTREAM_REMOTE_ADDRESS%',
  'x'.repeat(2000),
  '*',
  ',',
  'a\tb',
];
const paths: Choices = [
  '/',
  '/a',
  '/a/b/',
  '/ä',
  '/a?b=c',
  '/a b',
  '/a%2Fb',
  '/a#b',
  'relative',
  '',
  `/${'p'.repeat(3000)}`,
];
const regexes: Choices = [
  '.*',
  '/a.*',
  '(?i)abc',
  '^$',
  '[a-z]{1,5}',
  '\\d+',
  '(a|b)*',
  '(?P<n>x)',
  'a{0,1000}',
  '\\pL',
  '[[:alpha:]]+',
  '\\C',
  '(?s).',
  '\\Qa.b\\E',
  '*',
  '.{1,500}',
  '(((((a{1,10}){1,10}))))',
];
const headers: Choices = [
  'x-a',
  'X-B',
  ':method',
  ':authority',
  'host',
  'Host',
  'content-length',
  'x_c',
  "!#$%&'*+-.^_`|~",
  'x'.repeat(200),
  'connection',
  'cookie',
];
const addresses: Choices = ['10.1.0.1', '10.1.0.2', '192.168.0.1', '2001:db8::1', '::1', '0.0.0.0'];
const localities: Choices = ['r1/z1/s1', 'r1/z2', 'r2', 'r3/z1/s1', 'r1/*', '*'];

/** By `Message.field`, else by the name of the field. */
const byField: Readonly<Record<string, Choices>> = {
  host: hosts,
  hosts: [...hosts, '10.9.0.1', '*'],
  'Server.hosts': [
    '*',
    'a.example.com',
    '*.example.com',
    './b.example.com',
    'default/shop.example.com',
    '*/c.example.com',
  ],
  'IstioEgressListener.hosts': [
    './*',
    '*/*',
    'default/a.example.com',
    './shop.default.svc.cluster.local',
    '*/*.example.com',
    '~/*',
    '~default/a.example.com',
  ],
  'ServiceEntry.hosts': entryHosts,
  'VirtualService.hosts': hosts,
  sniHosts: ['a.example.com', '*.example.com', 'b.example.com', 'UPPER.example.com', '*.wild.example.com'],
  hostname: ['a.example.com', '*.example.com', '', 'shop.example.com'],
  hostnames: ['a.example.com', '*.example.com', 'shop.example.com'],
  subset: ['v1', 'v2', 'none'],
  'Subset.name': ['v1', 'v2', 'x'.repeat(63)],
  gateways: ['mesh', 'front', 'default/front', 'back', 'other/none'],
  exportTo: ['*', '.', 'default', 'other'],
  defaultServiceExportTo: ['*', '.'],
  defaultVirtualServiceExportTo: ['*', '.'],
  defaultDestinationRuleExportTo: ['*', '.'],
  namespace: ['default', 'other', ''],
  sourceNamespace: ['default', 'other'],
  regex: regexes,
  'RegexRewrite.match': regexes,
  'RegexRewrite.rewrite': ['/x', '\\1', '/\\0', 'a\\\\b', '\\2', '$1'],
  'HTTPRewrite.uri': paths,
  'HTTPRedirect.uri': paths,
  prefixRewrite: paths,
  authority: ['a.example.com', 'a.example.com:8080', '[::1]:80', 'x y', 'ä'],
  scheme: ['http', 'https', 'HTTP', ''],
  retryOn: [
    '5xx',
    'gateway-error,reset',
    '503,429',
    'connect-failure,retriable-status-codes,409',
    'cancelled',
    'retriable-headers',
    '',
  ],
  allowMethods: ['GET', 'POST', '*', 'OPTIONS'],
  allowHeaders: headers,
  exposeHeaders: headers,
  remove: headers,
  httpHeaderName: headers,
  httpQueryParameterName: ['q', 'a b', 'ä'],
  destinationSubnets: ['10.1.0.0/16', '10.1.0.1', '2001:db8::/32', '0.0.0.0/0', '10.1.0.1/16', '10.1.0.1/32'],
  addresses: ['10.9.0.1', '10.9.0.0/24', '10.9.0.7/24', '2001:db8::9', '10.9.0.1/32'],
  address: [...addresses, 'a.example.com', 'unix:///run/a.sock', 'b.example.com'],
  bind: ['127.0.0.1', '0.0.0.0', '::', '10.0.0.9', 'unix:///run/b.sock', ''],
  defaultEndpoint: ['127.0.0.1:9090', 'unix:///run/app.sock', '0.0.0.0:9091', ':9092', '[::1]:9093'],
  protocol: ['HTTP', 'HTTP2', 'GRPC', 'TCP', 'TLS', 'HTTPS', 'GRPC-WEB', 'MONGO', 'REDIS', 'http'],
  'TunnelSettings.protocol': ['CONNECT', 'POST', ''],
  targetHost: ['t.example.com', '10.1.0.9', '2001:db8::7'],
  locality: ['r1/z1/s1', 'r1/z2', 'r2', '', 'r3/z1/s1'],
  from: localities,
  'Failover.from': ['r1', 'r2', 'r3'],
  'Failover.to': ['r1', 'r2', 'r3'],
  failoverPriority: ['topology.kubernetes.io/region', 'rack', 'topology.kubernetes.io/zone', 'version=v1'],
  subjectAltNames: ['spiffe://cluster.local/ns/a/sa/b', 'a.example.com', '', 'ä'],
  verifyCertificateSpki: ['NvqYIYSbgK2vCJpQhObf77vv+bQWtc5ek5RIOwPiC9A=', 'x', 'c3BraQ=='],
  verifyCertificateHash: [
    'df6ff72fe9116521268f6f2dd4966f51df479883fe7037b39f75916ac3049d1a',
    'aa',
    'DF:6F:F7:2F:E9:11:65:21:26:8F:6F:2D:D4:96:6F:51:DF:47:98:83:FE:70:37:B3:9F:75:91:6A:C3:04:9D:1A',
    'x',
  ],
  cipherSuites: [
    'ECDHE-RSA-AES256-GCM-SHA384',
    'ECDHE-ECDSA-AES128-GCM-SHA256',
    'AES128-SHA',
    'DES-CBC3-SHA',
    'NONSENSE',
    '-AES128-SHA',
    'ECDHE-RSA-CHACHA20-POLY1305',
  ],
  ecdhCurves: ['P-256', 'X25519', 'P-384', 'P-521', 'X25519MLKEM768', 'NONSENSE'],
  credentialName: ['secret', 'kubernetes://default/secret', 'configmap://default/roots', 'a~b'],
  credentialNames: ['secret', 'other'],
  caCrl: ['/etc/hosts'],
  caCertificates: ['/etc/ca.pem', 'system', ''],
  clientCertificate: ['/etc/cert.pem'],
  privateKey: ['/etc/key.pem'],
  serverCertificate: ['/etc/cert.pem'],
  sni: ['a.example.com', '', 'ä', 'x'.repeat(300)],
  method: ['GET', 'get', 'QUERY'],
  statPrefix: ['stats', 'a.b', 'ä', ''],
  'HTTPCookie.path': ['/', '', 'a;b', '/ä'],
  'HTTPCookie.name': ['c', 'a b', 'ä', 'a;b', 'a=b'],
  'Attribute.name': ['SameSite', 'Secure', 'a b', 'a;b', ''],
  'Attribute.value': ['Strict', '', 'a;b', 'ä'],
  grpcStatus: ['UNAVAILABLE', 'OK', 'DEADLINE_EXCEEDED'],
  redirectCode: [0, 301, 302, 303, 307, 308, 304],
  status: [200, 204, 404, 503, 599, 600],
  httpStatus: [200, 404, 503, 599, 600],
  outlierDetectionHttpErrorCodes: [100, 404, 500, 599],
  port: [80, 443, 8080, 3306, 1, 65_535],
  'PortSelector.number': [80, 443, 8080, 3306, 9999],
  number: [80, 443, 8080, 3306, 7070, 15_001, 15_006, 65_535],
  targetPort: [8080, 1, 65_535],
  weight: [0, 1, 50, 100, 2_147_483_647],
  'WorkloadEntry.weight': [0, 1, 4_294_967_295, 100],
  tableSize: [3, 65_537, 5_000_009, 1009],
  // The largest possible, 8388608, costs a second a cluster.
  minimumRingSize: [0, 1, 1024, 100_000, 8_388_609],
  'Percent.value': [0, 0.0001, 0.5, 33.333, 99.9999, 100],
  percent: [0, 1, 50, 100, 0.5],
  minimumPercent: [0, 10, 100, 0.5],
  aggression: [1, 0.001, 2, 1e6, 1e-9],
  accessLogFormat: ['%START_TIME%', '{"a":"%START_TIME%"}', '%REQ(:METHOD)% %DURATION%', 'plain'],
  // A file that is there: what Envoy cannot open it refuses, and with reason.
  accessLogFile: ['/dev/null'],
  inboundClusterStatName: ['%SERVICE%', 'x', '%SERVICE_FQDN%_%SERVICE_PORT%'],
  outboundClusterStatName: ['%SERVICE%', 'x', '%SUBSET_NAME%'],
  type: ['Exact', 'PathPrefix', 'RegularExpression', 'ReplaceFullPath', 'ReplacePrefixMatch'],
  gatewayClassName: ['istio'],
  sectionName: ['http', 'https'],
  'HTTPPathMatch.value': ['/', '/a', '/a/', '/a.*', '/a/b'],
  'NamedMatch.name': ['x-a', 'q'],
  statusCode: [301, 302, 303, 307, 308],
  kind: ['Service'],
  group: [''],
  'BackendObjectReference.name': services,
  'HTTPBackendRef.name': services,
  'IngressServiceBackend.name': services,
  pathType: ['Exact', 'Prefix', 'ImplementationSpecific'],
  request: ['1s', '0s', '100ms'],
  backendRequest: ['1s', '0s'],
  backoff: ['1s', '25ms', '1ms', '1h'],
  trustDomain: ['cluster.local', 'td'],
  rootNamespace: ['istio-system', 'root'],
};

/** Keys of maps. */
const keysByField: Readonly<Record<string, Choices>> = {
  headers,
  withoutHeaders: headers,
  queryParams: ['q', 'a b', 'ä', ''],
  set: headers,
  add: headers,
  labels: ['app', 'version', 'example.com/a'],
  matchLabels: ['app', 'version'],
  sourceLabels: ['app', 'version'],
  selector: ['istio'],
  ports: ['http', 'tcp', 'https'],
  portLevelMtls: ['80', '8080', '3306'],
};

const valuesOfMaps: Readonly<Record<string, Choices>> = {
  labels: ['a', 'v1', 'v2'],
  matchLabels: ['a', 'b'],
  sourceLabels: ['a', 'b'],
  selector: ['ingress'],
  ports: [80, 8080],
};

/** Maps whose values have to add up. */
const wholeMaps: Readonly<Record<string, Choices>> = {
  to: [
    { 'r1/*': 100 },
    { 'r1/*': 80, 'r2/*': 20 },
    { 'r1/z1/*': 1, 'r1/z2/*': 99 },
    { '*': 100 },
    { 'r3/z1/s1': 100 },
  ],
};

const durations: Choices = ['1ms', '1s', '15s', '1h', '100000h', '2562047h', '0s', '250ms'];

export function stringOf(random: Random, message: string, field: string): unknown {
  return random.pick(
    byField[`${message}.${field}`] ?? byField[field] ?? (random.chance(0.5) ? words : texts),
  );
}

export function numberOf(random: Random, message: string, field: string, max: number): unknown {
  const known = byField[`${message}.${field}`] ?? byField[field];
  return known ? random.pick(known) : random.pick([0, 1, 2, 7, 100, 1000, Math.min(max, 4_294_967_295)]);
}

export function keyOf(random: Random, field: string): string {
  return String(random.pick(keysByField[field] ?? words));
}

export function valueOfMap(random: Random, field: string): unknown {
  const known = valuesOfMaps[field];
  return known && random.pick(known);
}

export function wholeMapOf(random: Random, field: string): unknown {
  const known = wholeMaps[field];
  return known && random.pick(known);
}

export function durationOf(random: Random): unknown {
  return random.pick(durations);
}
