// Where a connection goes under a set of listeners and routes, by the algorithm of the reference's own
// simulation: paths only, no endpoints.
import ipaddr from 'ipaddr.js';

export interface Call {
  readonly address: string;
  readonly port: number;
  readonly path: string;
  readonly protocol: 'http' | 'http2' | 'tcp';
  readonly tls: 'plaintext' | 'tls' | 'mtls';
  readonly alpn?: string;
  readonly sni?: string;
  readonly host?: string;
  readonly mode?: string;
  readonly mtlsSecret?: string;
}

export interface Outcome {
  readonly error: string;
  readonly listener: string;
  readonly filterChain: string;
  readonly routeConfig: string;
  readonly virtualHost: string;
  readonly route: string;
  readonly cluster: string;
}

// Resources in protobuf's JSON, as far as they are looked at.
export interface Json {
  readonly [key: string]: Json;
}

const nothing: Outcome = {
  error: '',
  listener: '',
  filterChain: '',
  routeConfig: '',
  virtualHost: '',
  route: '',
  cluster: '',
};

export interface Resources {
  readonly listeners: readonly Json[];
  routes(name: string): Json | undefined;
}

const text = (value: Json | undefined): string => (typeof value === 'string' ? value : '');
const list = (value: Json | undefined): readonly Json[] =>
  Array.isArray(value) ? (value as readonly Json[]) : [];
const number = (value: Json | undefined): number => Number(value ?? 0);

export function simulate(resources: Resources, call: Call): Outcome {
  const listener = chooseListener(resources.listeners, call);
  if (!listener) return { ...nothing, error: 'no listener matched' };
  const name = text(listener['name']);
  const { chain, error } = chooseChain(listener, call);
  if (!chain) return { ...nothing, listener: name, error };
  const reached = { ...nothing, listener: name, filterChain: text(chain['name']) };
  const tlsError = checkTls(chain, call);
  if (tlsError) return { ...reached, error: tlsError };
  const filter = list(chain['filters']).at(-1)?.['typed_config'];
  const isHttp = text(filter?.['@type']).endsWith('HttpConnectionManager');
  if (!isHttp) return { ...reached, cluster: text(filter?.['cluster']) };
  if ((call.tls !== 'plaintext' && !chain['transport_socket']) || call.protocol === 'tcp')
    return { ...reached, error: 'protocol error' };
  const inline = filter?.['route_config'];
  if (inline) return routeCall(inline, reached, call);
  const table = text(filter?.['rds']?.['route_config_name']);
  return routeCall(resources.routes(table), { ...reached, routeConfig: table }, call);
}

function chooseListener(listeners: readonly Json[], call: Call): Json | undefined {
  const at = (address: string): Json | undefined =>
    listeners.find((listener) => {
      const socket = listener['address']?.['socket_address'];
      return text(socket?.['address']) === address && number(socket?.['port_value']) === call.port;
    });
  const named = (name: string): Json | undefined =>
    listeners.find((listener) => text(listener['name']) === name);
  if (call.mode === 'inbound') return named('virtualInbound');
  return at(call.address) ?? at('0.0.0.0') ?? named('virtualOutbound');
}

function inspects(listener: Json, filterName: string, port: number): boolean {
  const filter = list(listener['listener_filters']).find(
    (candidate) => text(candidate['name']) === `envoy.filters.listener.${filterName}`,
  );
  return filter !== undefined && !disabledAt(filter['filter_disabled'], port);
}

function disabledAt(predicate: Json | undefined, port: number): boolean {
  const range = predicate?.['destination_port_range'];
  if (range) return port >= number(range['start']) && port < number(range['end']);
  if (predicate?.['not_match']) return !disabledAt(predicate['not_match'], port);
  return list(predicate?.['or_match']?.['rules']).some((rule) => disabledAt(rule, port));
}

const matchOf = (chain: Json): Json => chain['filter_chain_match'] ?? ({} as Json);

/** Keeps the chains that fit a criterion, or else those that do not ask for it. */
function sieve(
  chains: readonly Json[],
  has: (chain: Json) => boolean,
  fits: (chain: Json) => boolean,
): readonly Json[] {
  if (!chains.some(has)) return chains;
  const fitting = chains.filter((chain) => has(chain) && fits(chain));
  return fitting.length > 0 ? fitting : chains.filter((chain) => !has(chain));
}

/** The same where some fit better than others; below zero is no fit. */
function sieveBest(
  chains: readonly Json[],
  has: (chain: Json) => boolean,
  score: (chain: Json) => number,
): readonly Json[] {
  const best = Math.max(-1, ...chains.map(score));
  return sieve(chains, has, (chain) => best >= 0 && score(chain) === best);
}

function chooseChain(listener: Json, call: Call): { readonly chain?: Json; readonly error: string } {
  const sniffsTls = inspects(listener, 'tls_inspector', call.port) && call.tls !== 'plaintext';
  const sniffsHttp = inspects(listener, 'http_inspector', call.port) && call.tls === 'plaintext';
  const transport = sniffsTls ? 'tls' : 'raw_buffer';
  const plainAlpn = sniffsHttp ? { http: 'http/1.1', http2: 'h2c', tcp: '' }[call.protocol] : '';
  const alpn = sniffsTls ? (call.alpn ?? '') : plainAlpn;
  // The reference takes the server name as given, even of a call without TLS.
  const sni = (call.sni ?? '').toLowerCase();
  let chains: readonly Json[] = list(listener['filter_chains']);
  chains = sieve(
    chains,
    (chain) => number(matchOf(chain)['destination_port']) > 0,
    (chain) => number(matchOf(chain)['destination_port']) === call.port,
  );
  chains = sieveBest(
    chains,
    (chain) => list(matchOf(chain)['prefix_ranges']).length > 0,
    (chain) => longestPrefix(chain, call.address),
  );
  chains = sieveBest(
    chains,
    (chain) => list(matchOf(chain)['server_names']).length > 0,
    (chain) =>
      Math.max(-1, ...list(matchOf(chain)['server_names']).map((name) => nameScore(text(name), sni))),
  );
  chains = sieve(
    chains,
    (chain) => text(matchOf(chain)['transport_protocol']) !== '',
    (chain) => text(matchOf(chain)['transport_protocol']) === transport,
  );
  chains = sieve(
    chains,
    (chain) => list(matchOf(chain)['application_protocols']).length > 0,
    (chain) => list(matchOf(chain)['application_protocols']).map(text).includes(alpn),
  );
  if (chains.length > 1) return { error: 'multiple filter chains matched' };
  const chain = chains[0] ?? listener['default_filter_chain'];
  return chain ? { chain, error: '' } : { error: 'no filter chains matched' };
}

function longestPrefix(chain: Json, address: string): number {
  const ranges = list(matchOf(chain)['prefix_ranges']).filter((range) => contains(range, address));
  return Math.max(-1, ...ranges.map((range) => number(range['prefix_len'])));
}

function nameScore(name: string, sni: string): number {
  if (name === sni) return 10_000;
  return name.startsWith('*.') && sni.endsWith(name.slice(1)) ? name.length : -1;
}

function contains(range: Json, address: string): boolean {
  const [own, other] = [ipaddr.parse(text(range['address_prefix'])), ipaddr.parse(address)];
  return own.kind() === other.kind() && other.match(own, number(range['prefix_len']));
}

function checkTls(chain: Json, call: Call): string {
  const context = chain['transport_socket']?.['typed_config'];
  if (!context) return '';
  if (call.tls === 'plaintext') return 'invalid TLS';
  const secret = text(
    list(context['common_tls_context']?.['tls_certificate_sds_secret_configs'])[0]?.['name'],
  );
  const mutual =
    secret === (call.mtlsSecret ?? 'default') && String(context['require_client_certificate']) === 'true';
  return mutual === (call.tls === 'mtls') ? '' : 'invalid mTLS';
}

function routeCall(table: Json | undefined, reached: Outcome, call: Call): Outcome {
  const host = chooseHost(table, call);
  if (!host) return { ...reached, error: 'no virtual host matched' };
  const found = { ...reached, virtualHost: text(host['name']) };
  if (text(host['require_tls']) === 'ALL' && call.tls === 'plaintext')
    return { ...found, error: 'tls required, sending 301' };
  const route = list(host['routes']).find((candidate) => matchesPath(candidate['match'], call.path));
  if (!route) return { ...found, error: 'no route matched' };
  return { ...found, route: text(route['name']), cluster: text(route['route']?.['cluster']) };
}

function chooseHost(table: Json | undefined, call: Call): Json | undefined {
  const ignoresPort = String(table?.['ignore_port_in_host_matching']) === 'true';
  const host = (ignoresPort ? (call.host ?? '').replace(/:\d+$/, '') : (call.host ?? '')).toLowerCase();
  const score = (domain: string): number => {
    if (domain.toLowerCase() === host) return 1e9;
    if (domain === '*') return 0;
    if (domain.startsWith('*') && host.endsWith(domain.slice(1))) return 1e6 + domain.length;
    return domain.endsWith('*') && host.startsWith(domain.slice(0, -1)) ? domain.length : -1;
  };
  let best: { readonly host: Json; readonly score: number } | undefined;
  for (const candidate of list(table?.['virtual_hosts'])) {
    const own = Math.max(-1, ...list(candidate['domains']).map((domain) => score(text(domain))));
    if (own >= 0 && own > (best?.score ?? -1)) best = { host: candidate, score: own };
  }
  return best?.host;
}

function matchesPath(match: Json | undefined, path: string): boolean {
  if (match?.['path'] !== undefined) return text(match['path']) === path;
  if (match?.['prefix'] !== undefined) return path.startsWith(text(match['prefix']));
  if (match?.['path_separated_prefix'] !== undefined) {
    const prefix = text(match['path_separated_prefix']);
    return path === prefix || path.startsWith(`${prefix}/`);
  }
  return new RegExp(text(match?.['safe_regex']?.['regex'])).test(path);
}
