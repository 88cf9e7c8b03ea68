// Gateways and VirtualServices by what they do, whatever they are called and however they are divided.
import type { Generated } from '../../src/mesh/index.ts';
import { covers, narrower } from '../../src/registry/index.ts';

type Plain = Readonly<Record<string, unknown>>;
type VirtualServiceObject = Extract<Generated, { kind: 'VirtualService' }>;
type HttpRule = NonNullable<VirtualServiceObject['spec']['http']>[number];

const prefixMark = '%PREFIX()%';

/** Hosts that nothing answers for, in either implementation. */
const nowhere: ReadonlySet<string> = new Set(['', 'UnknownService', 'internal.cluster.local']);

/**
 * What each Gateway listens for, and what each host of each does; as texts by what they are about.
 * `marksPrefixes`: a path to rewrite to replaces everything unless it says otherwise.
 */
export function meaningOf(
  objects: readonly Generated[],
  marksPrefixes: boolean,
): ReadonlyMap<string, string> {
  const meaning = new Map<string, string>();
  const hostsOfGateway = new Map<string, readonly string[]>();
  for (const object of objects) {
    if (object.kind !== 'Gateway') continue;
    const key = `${object.metadata.namespace}/${object.metadata.name}`;
    const servers = object.spec.servers ?? [];
    hostsOfGateway.set(
      key,
      servers.flatMap((server) => server.hosts ?? []).map((host) => host.slice(host.indexOf('/') + 1)),
    );
    meaning.set(`Gateway ${key}`, text(servers.map(serverMeaning)));
  }
  const rules = new Map<string, string[]>();
  const add = (key: string, rule: string): void => void rules.set(key, [...(rules.get(key) ?? []), rule]);
  // Of one age the names decide.
  for (const object of [...objects].sort((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))) {
    if (object.kind !== 'VirtualService') continue;
    for (const gateway of object.spec.gateways ?? [])
      for (const host of effective(object.spec.hosts ?? [], hostsOfGateway.get(gateway))) {
        const scope = gateway === 'mesh' ? `mesh of ${object.metadata.namespace}` : gateway;
        for (const rule of object.spec.http ?? [])
          add(`HTTP ${scope} ${host}`, text(httpMeaning(rule, marksPrefixes)));
        for (const { match = [], route = [] } of object.spec.tls ?? [])
          for (const sni of new Set(match.flatMap(({ sniHosts = [] }) => sniHosts.map((name) => `${name}`))))
            if (gateway === 'mesh' || covers(sni, host) || covers(host, sni))
              add(`TLS ${scope} ${host}`, text(targets(route)));
        for (const { match = [], route = [] } of object.spec.tcp ?? [])
          add(
            `TCP ${scope} ${host}`,
            text({ ports: match.flatMap(({ port }) => port ?? []), route: targets(route) }),
          );
      }
  }
  for (const object of objects)
    if (object.kind === 'DestinationRule')
      meaning.set(`TLS to ${object.spec.host}`, text(policyMeaning(object.spec.trafficPolicy)));
  // A rule that is there already does nothing.
  for (const [key, list] of rules) meaning.set(key, [...new Set(list)].join('\n'));
  return meaning;
}

type TrafficPolicy = Extract<Generated, { kind: 'DestinationRule' }>['spec']['trafficPolicy'];

/** The reference trusts the roots of the machine where nothing else is said; here that is said. */
function policyMeaning(policy: TrafficPolicy): unknown {
  const tls = (settings: NonNullable<TrafficPolicy>['tls']): unknown =>
    settings && {
      ...settings,
      caCertificates: settings.caCertificates ?? (settings.credentialName ? undefined : 'system'),
    };
  const byPort = (policy?.portLevelSettings ?? []).map((port) => [port.port?.number, tls(port.tls)]);
  return { tls: tls(policy?.tls), byPort: Object.fromEntries(byPort) };
}

function effective(hosts: readonly string[], served: readonly string[] | undefined): readonly string[] {
  if (!served) return hosts;
  return [...new Set(hosts.flatMap((host) => served.flatMap((own) => narrower(own, host))))];
}

function serverMeaning({ port, hosts, tls }: Plain): unknown {
  const { mode = 'PASSTHROUGH', insecureSkipVerify, cipherSuites, ...rest } = (tls ?? {}) as Plain;
  const ciphers = (cipherSuites as readonly string[] | undefined)?.length ? cipherSuites : undefined;
  return {
    port,
    hosts: [...(hosts as string[])].sort(),
    tls: tls && { mode, ...rest, cipherSuites: ciphers, trusting: insecureSkipVerify || undefined },
  };
}

function httpMeaning(rule: HttpRule, marksPrefixes: boolean): unknown {
  const { redirect, directResponse, mirrors, corsPolicy, timeout, retries } = rule;
  const start = {
    match: (rule.match ?? []).map(matchMeaning).filter((one) => text(one) !== '{}'),
    headers: headersMeaning(rule.headers),
  };
  if (directResponse) return { ...start, status: directResponse.status };
  return {
    ...start,
    route: redirect ? undefined : targets(rule.route ?? []),
    redirect: redirect && {
      ...redirect,
      redirectCode: redirect.redirectCode ?? 302,
      derivePort: redirect.derivePort === 'FROM_REQUEST_PORT',
    },
    rewrite: rewriteMeaning(rule.rewrite, marksPrefixes),
    mirrors: mirrors?.map(({ destination, percentage }) => ({
      to: destination,
      percent: percentage?.value ?? 100,
    })),
    corsPolicy: corsPolicy && { ...corsPolicy, unmatchedPreflights: undefined },
    timeout,
    retries,
  };
}

function matchMeaning({ uri, ...rest }: Plain): unknown {
  const prefix = (uri as Plain | undefined)?.['prefix'];
  if (prefix === undefined) return { uri, ...rest };
  const path = String(prefix).replace(/\/$/, '');
  return { ...(path === '' ? {} : { uri: { prefix: path } }), ...rest };
}

/** A full path replaces everything; a prefix has no slash at its end. */
function rewriteMeaning(rewrite: HttpRule['rewrite'], marksPrefixes: boolean): unknown {
  if (!rewrite) return undefined;
  const { uri, uriRegexRewrite, authority } = rewrite;
  if (uriRegexRewrite) return { path: uriRegexRewrite.rewrite, authority };
  if (uri && marksPrefixes && !uri.startsWith(prefixMark)) return { path: uri, authority };
  return { prefix: uri && (uri.replace(prefixMark, '').replace(/\/$/, '') || '/'), authority };
}

function headersMeaning(headers: HttpRule['headers']): unknown {
  const side = (operations: NonNullable<typeof headers>['request']): unknown => {
    const { add = {}, set = {}, remove = [] } = operations ?? {};
    const lower = (values: Readonly<Record<string, string>>): unknown =>
      Object.fromEntries(Object.entries(values).map(([name, value]) => [name.toLowerCase(), value]));
    return { add: lower(add), set: lower(set), remove };
  };
  return { request: side(headers?.request), response: side(headers?.response) };
}

interface Target {
  readonly destination?: { readonly host?: string; readonly port?: { readonly number?: number } };
  readonly weight?: number;
  readonly headers?: HttpRule['headers'];
}

function targets(route: readonly Target[]): unknown {
  return route.map(({ destination, weight, headers }) => {
    const host = destination?.host ?? '';
    return {
      to: nowhere.has(host) ? 'nowhere' : `${host}:${destination?.port?.number ?? ''}`,
      weight: route.length === 1 ? 1 : weight,
      headers: headersMeaning(headers),
    };
  });
}

/** JSON with sorted keys; what is undefined or empty is left out. */
export function text(value: unknown): string {
  return JSON.stringify(plain(value)) ?? '';
}

function plain(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value)
    .map(([key, item]) => [key, plain(item)] as const)
    .filter(
      ([, item]) =>
        item !== undefined && !(typeof item === 'object' && item !== null && Object.keys(item).length === 0),
    );
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
