// The lines of access logs for the same exchanges, beside Envoy's.
import { strict as assert } from 'node:assert';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { reasonToSkipWithoutEnvoy } from '../real-software.ts';
import { bootstrap, cluster, type Json, routeTo, typed } from './bootstrap.ts';
import { freePorts } from './free-ports.ts';
import { accepting, type Kind, kinds, ProxyProcess } from './proxy-process.ts';
import { send } from './raw-client.ts';
import { RawUpstream } from './raw-upstream.ts';

const operators = [
  'REQ(:METHOD) REQ(X-ENVOY-ORIGINAL-PATH?:PATH) REQ(:AUTHORITY) REQ(:SCHEME) REQ(X-NONE?USER-AGENT):3 REQ(X-NONE)',
  'PROTOCOL UPSTREAM_PROTOCOL RESPONSE_CODE RESPONSE_CODE_DETAILS CONNECTION_TERMINATION_DETAILS RESPONSE_FLAGS',
  'RESPONSE_FLAGS_LONG BYTES_RECEIVED BYTES_SENT DURATION REQUEST_DURATION RESPONSE_DURATION RESPONSE_TX_DURATION',
  'COMMON_DURATION(DS_RX_BEG:DS_TX_END:us) ROUTE_NAME UPSTREAM_CLUSTER UPSTREAM_CLUSTER_RAW UPSTREAM_HOST',
  'UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_PORT UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT',
  'UPSTREAM_REQUEST_ATTEMPT_COUNT DOWNSTREAM_REMOTE_ADDRESS DOWNSTREAM_DIRECT_REMOTE_ADDRESS',
  'DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_PORT REQUESTED_SERVER_NAME RESP(CONTENT-TYPE)',
  'RESP(:STATUS) TRAILER(X) START_TIME START_TIME(%s) DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_TLS_VERSION',
  'DYNAMIC_METADATA(a:b) UPSTREAM_METADATA(a:b) GRPC_STATUS GRPC_STATUS_NUMBER UPSTREAM_TRANSPORT_FAILURE_REASON UPSTREAM_HOST_NAME REQUEST_HEADERS_BYTES RESPONSE_TRAILERS_BYTES VIRTUAL_CLUSTER_NAME CONNECTION_ID',
]
  .flatMap((line) => line.split(' '))
  .map((name) => (name.endsWith(':3') ? `%${name.slice(0, -2)}%`.replace(/%$/, ':3%') : `%${name}%`));

const tags = operators.map((operator) => operator.replace(/[%():?.]/g, '_').toLowerCase());
const text = `${operators.map((operator, index) => `${tags[index]}=${operator}`).join('|')}\n`;
const fields = Object.fromEntries(operators.map((operator, index) => [tags[index] ?? '', operator]));

interface Row {
  readonly name: string;
  readonly request: string;
  /** The client goes away without waiting. */
  readonly leaves?: boolean;
}

const get = (path: string, more = ''): string =>
  `GET ${path} HTTP/1.1\r\nhost: shop\r\nuser-agent: tests\r\n${more}\r\n`;

const rows: readonly Row[] = [
  { name: 'an answer of the upstream', request: get('/ok?a=b') },
  {
    name: 'with a body',
    request: 'POST /ok HTTP/1.1\r\nhost: shop\r\ncontent-length: 5\r\nx-forwarded-for: 10.0.0.1\r\n\r\nhello',
  },
  { name: 'no route', request: get('/nowhere') },
  { name: 'a direct response', request: get('/direct') },
  { name: 'a redirect', request: get('/redirect') },
  { name: 'nobody listens', request: get('/closed') },
  { name: 'nobody listens, retried', request: get('/retried') },
  { name: 'no cluster', request: get('/unknown', 'x-cluster: none\r\n') },
  { name: 'no host', request: get('/empty') },
  { name: 'a timeout', request: get('/slow') },
  { name: 'a fault', request: get('/ok', 'x-abort: 1\r\n') },
  { name: 'the upstream hangs up', request: get('/hangup') },
  { name: 'the client goes away', request: get('/never'), leaves: true },
  { name: 'a rewritten path', request: get('/old/x') },
  { name: 'gRPC without a route', request: get('/nowhere', 'content-type: application/grpc\r\n') },
];

const routes = (up: string): readonly Json[] => [
  {
    match: { path: '/direct' },
    name: 'told',
    direct_response: { status: 418, body: { inline_string: 'tea' } },
  },
  { match: { path: '/redirect' }, redirect: { path_redirect: '/x' } },
  routeTo('closed', {}, { path: '/closed' }),
  routeTo('closed', { retry_policy: { retry_on: 'connect-failure', num_retries: 1 } }, { path: '/retried' }),
  { match: { path: '/unknown' }, route: { cluster_header: 'x-cluster' } },
  routeTo('empty', {}, { path: '/empty' }),
  routeTo(up, { timeout: '0.2s' }, { path: '/slow' }),
  routeTo(up, { prefix_rewrite: '/new/' }, { prefix: '/old/' }),
  ...['/ok', '/hangup', '/never'].map((prefix) => routeTo(up, {}, { prefix })),
];

const fault = typed('envoy.filters.http.fault', 'extensions.filters.http.fault.v3.HTTPFault', {
  abort: { http_status: 503, percentage: { numerator: 100 } },
  headers: [{ name: 'x-abort', present_match: true }],
});

const log = (path: string, format: Json, filter?: Json): Json => ({
  ...typed('envoy.access_loggers.file', 'extensions.access_loggers.file.v3.FileAccessLog', {
    path,
    ...(Object.keys(format).length > 0 ? { log_format: format } : {}),
  }),
  ...(filter ? { filter } : {}),
});

const never = (): void => undefined;

interface Lines {
  readonly text: readonly string[];
  readonly json: readonly string[];
  readonly usual: readonly string[];
  readonly errors: readonly string[];
}

async function linesOf(kind: Kind): Promise<Lines> {
  const folder = mkdtempSync(join(tmpdir(), 'meltemi-logs-'));
  const [adminPort = 0, port = 0, closed = 0] = await freePorts(3);
  const upstream = await RawUpstream.start((connection) => {
    connection.socket.on('data', (chunk: Buffer) => {
      const request = chunk.toString('latin1');
      if (request.startsWith('GET /hangup')) connection.socket.destroy();
      else if (/^GET \/(slow|never)/.test(request)) never();
      else
        connection.socket.write('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 2\r\n\r\nhi');
    });
  });
  const at = (name: string): string => join(folder, name);
  const manager = {
    access_log: [
      log(at('text'), { text_format_source: { inline_string: text } }),
      log(at('json'), { json_format: { nested: { fields }, both: 'a %REQ(X-NONE)% %PROTOCOL%', n: '7' } }),
      log(at('usual'), {}),
      log(
        at('errors'),
        {
          text_format_source: { inline_string: '%RESPONSE_CODE% %RESPONSE_FLAGS%\n' },
          omit_empty_values: true,
        },
        {
          or_filter: {
            filters: [
              {
                status_code_filter: {
                  comparison: { op: 'GE', value: { default_value: 504, runtime_key: 'x' } },
                },
              },
              { response_flag_filter: { flags: ['NR', 'FI'] } },
            ],
          },
        },
      ),
    ],
  };
  let proxy: ProxyProcess | undefined;
  try {
    proxy = await ProxyProcess.start(
      kind,
      bootstrap({
        adminPort,
        listeners: [{ port, cluster: 'up', manager, filters: [fault], routes: routes('up') }],
        clusters: [
          cluster('up', upstream.port),
          cluster('closed', closed),
          { name: 'empty', type: 'STATIC', load_assignment: { cluster_name: 'empty' } },
        ],
      }),
    );
    await accepting(port);
    const ports = new Map([
      [String(port), 'LISTENER'],
      [String(upstream.port), 'UPSTREAM'],
      [String(closed), 'CLOSED'],
    ]);
    for (const { request, leaves } of rows) {
      if (leaves) await leave(port, request);
      else await send(port, request, { quietMs: 20, patienceMs: 3000 });
    }
    for (const name of ['text', 'json', 'usual']) await linesIn(at(name), rows.length);
    await linesIn(at('errors'), 4);
    await proxy.stop();
    const read = (name: string): readonly string[] =>
      readFileSync(at(name), 'utf8')
        .split('\n')
        .slice(0, -1)
        .map((line) => masked(line, ports));
    return { text: read('text'), json: read('json'), usual: read('usual'), errors: read('errors') };
  } finally {
    await proxy?.stop();
    await upstream.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function leave(port: number, request: string): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write(request);
  await delay(100);
  socket.destroy();
}

/** Envoy writes every ten seconds. */
async function linesIn(path: string, count: number): Promise<void> {
  const limit = performance.now() + 25_000;
  while (performance.now() < limit) {
    if (existsSync(path) && readFileSync(path, 'utf8').split('\n').length > count) return;
    await delay(20);
  }
}

/** What is another each time. */
function masked(line: string, ports: ReadonlyMap<string, string>): string {
  return (
    line
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/((?:duration|start_time|connection_id)[a-z_:]*(?:=|":"?))\d+/g, '$1N')
      .replace(/ (\d+) \d+ (?:\d+|(-)) "/, ' $1 N $2 "')
      // Envoy names a client on loopback by an address of the machine.
      .replace(/"((?:10\.0\.0\.1,)?)\d+\.\d+\.\d+\.\d+" "/, '"$1CLIENT" "')
      .replace(
        /:(\d{4,5})\b/g,
        (whole, port: string) => `:${ports.get(port) ?? (whole === '' ? '' : 'PORT')}`,
      )
      .replace(/=(\d{4,5})\b/g, (_whole, port: string) => `=${ports.get(port) ?? 'PORT'}`)
  );
}

describe('access logs', { skip: reasonToSkipWithoutEnvoy() }, () => {
  test('the same lines', async () => {
    const runs = kinds.map(linesOf);
    await Promise.allSettled(runs);
    const [embedded, envoy] = await Promise.all(runs);
    assert.ok(embedded && envoy);
    for (const which of ['text', 'json', 'usual', 'errors'] as const)
      assert.deepEqual(differences(embedded[which], envoy[which]), [], which);
  });
});

/** What stands in a line of one and not in that of the other. */
function differences(ours: readonly string[], theirs: readonly string[]): readonly string[] {
  const parts = (line = ''): readonly string[] => line.split(line.startsWith('{') ? ',' : '|');
  const lines = Array.from({ length: Math.max(ours.length, theirs.length) }, (_, index) => {
    const [own, other] = [parts(ours[index]), parts(theirs[index])];
    const [more, less] = [
      own.filter((one) => !other.includes(one)),
      other.filter((one) => !own.includes(one)),
    ];
    return more.length + less.length === 0
      ? ''
      : `${rows[index]?.name}: ${more.join(' ')}, Envoy ${less.join(' ')}`;
  });
  return lines.filter((line) => line !== '');
}
