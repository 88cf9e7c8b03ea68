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

function chooseChain(listener: Json, call: Call): { readonly chain?: Json; readonly error: string } {
  const sniffsTls = inspects(listener, 'tls_inspector', call.port);
  const sniffsHttp = inspects(listener, 'http_inspector', call.port);
  const transport = sniffsTls && call.tls !== 'plaintext' ? 'tls' : 'raw_buffer';
  const plainAlpn =
    sniffsHttp && call.tls === 'plaintext' ? { http: 'http/1.1', http2: 'h2c', tcp: '' }[call.protocol] : '';
  const alpn = sniffsTls && call.tls !== 'plaintext' ? (call.alpn ?? '') : plainAlpn;
  let chains = list(listener['filter_chains']);
  const match = (chain: Json): Json => chain['filter_chain_match'] ?? ({} as Json);
  const sieve = (has: (chain: Json) => boolean, fits: (chain: Json) => boolean): void => {
    if (!chains.some(has)) return;
    const fitting = chains.filter((chain) => has(chain) && fits(chain));
    chains = fitting.length > 0 ? fitting : chains.filter((chain) => !has(chain));
  };
  sieve(
    (chain) => number(match(chain)['destination_port']) > 0,
    (chain) => number(match(chain)['destination_port']) === call.port,
  );
  sievePrefixes();
  sieveNames();
  sieve(
    (chain) => text(match(chain)['transport_protocol']) !== '',
    (chain) => text(match(chain)['transport_protocol']) === transport,
  );
  sieve(
    (chain) => list(match(chain)['application_protocols']).length > 0,
    (chain) => list(match(chain)['application_protocols']).map(text).includes(alpn),
  );
  if (chains.length > 1) return { error: 'multiple filter chains matched' };
  const chain = chains[0] ?? listener['default_filter_chain'];
  return chain ? { chain, error: '' } : { error: 'no filter chains matched' };

  function sievePrefixes(): void {
    const longest = (chain: Json): number =>
      Math.max(
        -1,
        ...list(match(chain)['prefix_ranges']).map((range) =>
          contains(range, call.address) ? number(range['prefix_len']) : -1,
        ),
      );
    const best = Math.max(-1, ...chains.map(longest));
    sieve(
      (chain) => list(match(chain)['prefix_ranges']).length > 0,
      (chain) => best >= 0 && longest(chain) === best,
    );
  }

  function sieveNames(): void {
    // The reference takes the server name as given, even of a call without TLS.
    const sni = (call.sni ?? '').toLowerCase();
    const score = (chain: Json): number =>
      Math.max(
        -1,
        ...list(match(chain)['server_names']).map((name) =>
          text(name) === sni
            ? 10_000
            : text(name).startsWith('*.') && sni.endsWith(text(name).slice(1))
              ? text(name).length
              : -1,
        ),
      );
    const best = Math.max(-1, ...chains.map(score));
    sieve(
      (chain) => list(match(chain)['server_names']).length > 0,
      (chain) => best >= 0 && score(chain) === best,
    );
  }
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
