// Who is let in by which policies, beside Envoy: a table of policies and requests, for HTTP and for TCP.
import { strict as assert } from 'node:assert';
import { describe, test } from 'node:test';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { bootstrap, cluster, type Json, routeTo, typed } from './bootstrap.ts';
import { unexplained } from './explained.ts';
import { freePorts } from './free-ports.ts';
import { accepting, type Kind, kinds, ProxyProcess } from './proxy-process.ts';
import { send } from './raw-client.ts';
import { RawUpstream } from './raw-upstream.ts';

const everyone: readonly Json[] = [{ any: true }];
const permit = (permission: Json, more: Json = {}): Json => ({
  policies: { one: { permissions: [permission], principals: everyone } },
  ...more,
});
const admit = (principal: Json, more: Json = {}): Json => ({
  policies: { one: { permissions: everyone, principals: [principal] } },
  ...more,
});
const deny = { action: 'DENY' };
const path = (match: Json): Json => ({ url_path: { path: match } });
const header = (name: string, match: Json): Json => ({ header: { name, ...match } });
const range = (address_prefix: string, prefix_len: number): Json => ({ address_prefix, prefix_len });
const metadata = (value: Json): Json => ({ metadata: { filter: 'a', path: [{ key: 'b' }], value } });

const policies: Readonly<Record<string, Json | undefined>> = {
  none: undefined,
  'no policies': { policies: {} },
  'no policies, deny': { policies: {}, ...deny },
  anyone: permit({ any: true }),
  'anyone, deny': permit({ any: true }, deny),
  'a path': permit(path({ exact: '/a' })),
  'a prefix': permit(path({ prefix: '/a' })),
  'a path by expression': permit(path({ safe_regex: { regex: '/a(/.*)?' } })),
  'a path, deny': permit(path({ exact: '/a' }), deny),
  'a path, whatever its case': permit(path({ exact: '/A', ignore_case: true })),
  'a method': permit(header(':method', { string_match: { exact: 'GET' } })),
  'a header': permit(header('x-a', { string_match: { prefix: '1' } })),
  'a header, inverted': permit(header('x-a', { string_match: { exact: '1' }, invert_match: true })),
  'a header that is there': permit(header('x-a', { present_match: true })),
  'an authority': permit(header(':authority', { string_match: { contains: 'authority' } })),
  both: permit({ and_rules: { rules: [path({ exact: '/a' }), header('x-a', { present_match: true })] } }),
  either: permit({ or_rules: { rules: [path({ exact: '/a' }), header('x-a', { present_match: true })] } }),
  'all but one': permit({ not_rule: path({ exact: '/a' }) }),
  'a destination': permit({ destination_ip: range('127.0.0.0', 8) }),
  'another destination': permit({ destination_ip: range('10.0.0.0', 8) }),
  'a port': permit({ destination_port: 1 }),
  'a range of ports': permit({ destination_port_range: { start: 1, end: 65_535 } }),
  'no server name': permit({ requested_server_name: { exact: '' } }),
  'a server name': permit({ requested_server_name: { exact: 'a' } }),
  'metadata that are not there': permit(metadata({ string_match: { exact: 'c' } })),
  'metadata, inverted': permit({
    metadata: { filter: 'a', path: [{ key: 'b' }], value: { string_match: { exact: 'c' } }, invert: true },
  }),
  'a client with a certificate': admit({ authenticated: {} }),
  'a client of a name': admit({ authenticated: { principal_name: { exact: 'x' } } }),
  'not of a name': admit({ not_id: { authenticated: { principal_name: { exact: 'x' } } } }),
  'a direct address': admit({ direct_remote_ip: range('127.0.0.1', 32) }),
  'an address behind proxies': admit({ remote_ip: range('10.1.0.0', 16) }),
  'not behind proxies': admit({ not_id: { remote_ip: range('10.1.0.0', 16) } }),
  'either client': admit({ or_ids: { ids: [{ remote_ip: range('10.1.0.0', 16) }, header('x-a', {})] } }),
  'both of a client': admit({ and_ids: { ids: [{ remote_ip: range('10.1.0.0', 16) }, header('x-a', {})] } }),
  'a client by path': admit(path({ exact: '/a' })),
  'the first of two': {
    ...deny,
    policies: {
      'z y': { permissions: [path({ prefix: '/' })], principals: everyone },
      'b c': { permissions: [path({ exact: '/a' })], principals: everyone },
    },
  },
  logged: permit(path({ exact: '/a' }), { action: 'LOG' }),
};

const requests: Readonly<Record<string, readonly [method: string, path: string, more: string]>> = {
  plain: ['GET', '/a', ''],
  'with a query': ['GET', '/a?b=c', ''],
  below: ['POST', '/a/b', 'content-length: 0\r\n'],
  elsewhere: ['GET', '/b', 'x-a: 12\r\n'],
  'with a header': ['GET', '/a', 'x-a: 1\r\n'],
  'behind a proxy': ['GET', '/c', 'x-forwarded-for: 10.1.2.3\r\n'],
  grpc: ['POST', '/a', 'content-type: application/grpc\r\ncontent-length: 0\r\n'],
};

const names = Object.keys(policies);
const hostOf = (name: string): string => `p${names.indexOf(name)}.authority`;
const rows = names.flatMap((policy) =>
  Object.entries(requests).map(([name, [method, target, more]]) => ({
    name: `${policy}, ${name}`,
    bytes: `${method} ${target} HTTP/1.1\r\nhost: ${hostOf(policy)}\r\n${more}connection: close\r\n\r\n`,
  })),
);

const type = (message: string): string => `type.googleapis.com/envoy.extensions.filters.${message}`;
const told = (key: string, value: string): Json => ({ header: { key, value } });

const virtualHosts = (up: string): readonly Json[] =>
  names.map((name) => {
    const rules = policies[name];
    const rbac = rules ? { rbac: { rules, shadow_rules: rules, shadow_rules_stat_prefix: 'dry_' } } : {};
    return {
      name,
      domains: [hostOf(name)],
      routes: [routeTo(up)],
      typed_per_filter_config: {
        'envoy.filters.http.rbac': { '@type': type('http.rbac.v3.RBACPerRoute'), ...rbac },
      },
      response_headers_to_add: [
        told('x-details', '%RESPONSE_CODE_DETAILS%'),
        ...['own_enforced', 'dry_shadow'].flatMap((which) => [
          told(
            `x-${which}-policy`,
            `%DYNAMIC_METADATA(envoy.filters.http.rbac:${which}_effective_policy_id)%`,
          ),
          told(`x-${which}-result`, `%DYNAMIC_METADATA(envoy.filters.http.rbac:${which}_engine_result)%`),
        ]),
      ],
    };
  });

interface Outcome {
  readonly status: string;
  readonly told: readonly string[];
  readonly body: string;
}

async function httpOutcomes(kind: Kind): Promise<{ outcomes: readonly Outcome[]; stats: readonly string[] }> {
  const [adminPort = 0, port = 0] = await freePorts(2);
  const upstream = await RawUpstream.start(({ socket }) => {
    socket.on('data', () => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
  });
  const filter = typed('envoy.filters.http.rbac', 'extensions.filters.http.rbac.v3.RBAC', {
    rules: { policies: {} },
    rules_stat_prefix: 'own_',
    shadow_rules: { policies: {} },
    shadow_rules_stat_prefix: 'dry_',
  });
  const route_config = { name: 'r', virtual_hosts: virtualHosts('up') };
  const manager = { route_config, xff_num_trusted_hops: 1 };
  let proxy: ProxyProcess | undefined;
  try {
    proxy = await ProxyProcess.start(
      kind,
      bootstrap({
        adminPort,
        listeners: [{ port, cluster: 'up', manager, filters: [filter] }],
        clusters: [cluster('up', upstream.port)],
      }),
    );
    await accepting(port);
    const outcomes: Outcome[] = [];
    for (const { bytes } of rows) outcomes.push(outcomeOf((await send(port, bytes)).text));
    const { body = '' } = (await proxy.admin('/stats?filter=rbac')) ?? {};
    return {
      outcomes,
      stats: body
        .split('\n')
        .filter((line) => line.includes('rbac'))
        .sort(),
    };
  } finally {
    await proxy?.stop();
    await upstream.stop();
  }
}

function outcomeOf(text: string): Outcome {
  const [head = '', ...body] = text.split('\r\n\r\n');
  const [line = '', ...fields] = head.split('\r\n');
  const told = fields.filter((field) => /^(x-|grpc-)/.test(field) && !field.startsWith('x-envoy')).sort();
  return { status: line, told, body: body.join('') };
}

interface TcpOutcome {
  readonly answer: string;
  readonly open: boolean;
}

const tcpRows = [
  'anyone',
  'anyone, deny',
  'a destination',
  'another destination',
  'a direct address',
  'a port',
];

async function tcpOutcomes(
  kind: Kind,
): Promise<{ outcomes: readonly TcpOutcome[]; stats: readonly string[] }> {
  const [adminPort = 0, ...ports] = await freePorts(tcpRows.length + 1);
  const upstream = await RawUpstream.start(({ socket }) => {
    socket.on('data', (chunk: Buffer) => socket.write(chunk));
  });
  const listeners = tcpRows.map((name, index) => ({
    port: ports[index] ?? 0,
    fields: {
      filter_chains: [
        {
          filters: [
            typed('envoy.filters.network.rbac', 'extensions.filters.network.rbac.v3.RBAC', {
              rules: policies[name],
              shadow_rules: policies[name],
              shadow_rules_stat_prefix: 'dry_',
              stat_prefix: `tcp${index}.`,
            }),
            typed('envoy.filters.network.tcp_proxy', 'extensions.filters.network.tcp_proxy.v3.TcpProxy', {
              stat_prefix: 't',
              cluster: 'up',
            }),
          ],
        },
      ],
    },
  }));
  let proxy: ProxyProcess | undefined;
  try {
    proxy = await ProxyProcess.start(
      kind,
      bootstrap({ adminPort, listeners, clusters: [cluster('up', upstream.port)] }),
    );
    await Promise.all(ports.map(accepting));
    const outcomes: TcpOutcome[] = [];
    for (const port of ports) {
      const { text, end } = await send(port, 'hello', { quietMs: 100, patienceMs: 1000 });
      outcomes.push({ answer: text, open: end === 'open' });
    }
    const { body = '' } = (await proxy.admin('/stats?filter=rbac')) ?? {};
    return {
      outcomes,
      stats: body
        .split('\n')
        .filter((line) => line.includes('rbac'))
        .sort(),
    };
  } finally {
    await proxy?.stop();
    await upstream.stop();
  }
}

/** Waits for both, so that nothing is left running. */
async function both<T>(run: (kind: Kind) => Promise<T>): Promise<readonly [embedded: T, envoy: T]> {
  const runs = kinds.map(run);
  await Promise.allSettled(runs);
  const [embedded, envoy] = await Promise.all(runs);
  assert.ok(embedded !== undefined && envoy !== undefined);
  return [embedded, envoy];
}

describe('role-based access control', { skip: reasonToSkipWithoutEnvoy() }, () => {
  test('of requests', async () => {
    const [embedded, envoy] = await both(httpOutcomes);
    const compared = rows.flatMap((row, index) => {
      const [ours, theirs] = [embedded.outcomes[index], envoy.outcomes[index]];
      return ours && theirs ? [{ row, embedded: ours, envoy: theirs }] : [];
    });
    assert.deepEqual(unexplained(compared, {}), []);
    assert.deepEqual(embedded.stats, envoy.stats);
  });

  test('of connections', async () => {
    assert.deepEqual(...(await both(tcpOutcomes)));
  });
});
