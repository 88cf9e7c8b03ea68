// Which fields a case file may have, and of what type: a misspelt field must not turn a check off in silence.

export type FieldType =
  | 'string'
  | 'number'
  | 'boolean'
  | 'object'
  | 'list'
  | 'strings'
  | 'any'
  | readonly string[];
export type Fields = Readonly<Record<string, FieldType>>;

export const caseFields: Fields = {
  about: 'string',
  tags: 'strings',
  mesh: 'object',
  client: 'object',
  config: 'string',
  upstreams: 'object',
  dns: 'object',
  ports: 'list',
  serverIdentity: 'string',
  rejected: 'string',
  nacks: 'any',
  note: 'string',
  settleMs: 'number',
  requests: 'list',
};

export const clientFields: Fields = {
  kind: ['sidecar', 'gateway'],
  direction: ['inbound'],
  name: 'string',
  namespace: 'string',
  labels: 'object',
  serviceAccount: 'string',
  locality: 'string',
  metadata: 'object',
};

export const behaviourFields: Fields = {
  status: 'number',
  statuses: 'list',
  delayMs: 'number',
  reset: 'boolean',
  refuse: 'boolean',
  greet: 'string',
  headers: 'object',
  body: 'string',
  rawTls: 'boolean',
};

export const requestFields: Fields = {
  name: 'string',
  connect: 'string',
  host: 'string',
  method: 'string',
  path: 'string',
  headers: 'object',
  body: 'string',
  version: ['2'],
  tls: 'object',
  tcp: 'string',
  count: 'number',
  concurrency: 'number',
  gapMs: 'number',
  waitMs: 'number',
  timeoutMs: 'number',
  settleMs: 'number',
  observe: 'object',
  compare: 'object',
  expect: 'object',
  ours: 'object',
  oursEmbedded: 'object',
};

const countRules = ['set', 'share', 'exact', 'one', 'subset'];

export const compareFields: Fields = {
  upstreams: countRules,
  statuses: countRules,
  mirrored: countRules,
  hits: 'any',
};
export const observeFields: Fields = {
  requestHeaders: 'strings',
  responseHeaders: 'strings',
  responseBody: 'boolean',
  trailers: 'boolean',
  time: 'boolean',
};
export const tlsFields: Fields = {
  sni: 'string',
  alpn: 'strings',
  mesh: 'boolean',
  key: 'string',
  cert: 'string',
};

export const outcomeFields: Fields = {
  status: 'number',
  error: 'string',
  statuses: 'object',
  tcp: 'string',
  hits: 'number',
  upstreams: 'object',
  protocol: 'any',
  method: 'any',
  path: 'any',
  host: 'any',
  body: 'any',
  tls: 'any',
  requestHeaders: 'object',
  responseHeaders: 'object',
  responseBody: 'string',
  trailers: 'any',
  upgraded: 'boolean',
  mirrored: 'object',
  mirroredHost: 'any',
  mirroredPath: 'any',
  ms: 'object',
};

/** What is wrong with `value`, one line for each field. */
export function checkFields(value: unknown, fields: Fields, where: string): readonly string[] {
  if (!isObject(value)) return [`${where} is not an object`];
  return Object.entries(value).flatMap(([name, field]) => {
    const type = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (type === undefined) return [`${where}.${name} is not a field of the format`];
    return hasType(field, type)
      ? []
      : [`${where}.${name} should be ${typeof type === 'string' ? type : type.join(' or ')}`];
  });
}

export function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasType(value: unknown, type: FieldType): boolean {
  if (typeof type !== 'string') return typeof value === 'string' && type.includes(value);
  switch (type) {
    case 'any':
      return true;
    case 'object':
      return isObject(value);
    case 'list':
      return Array.isArray(value);
    case 'strings':
      return Array.isArray(value) && value.every((item) => typeof item === 'string');
    default:
      return typeof value === type;
  }
}
