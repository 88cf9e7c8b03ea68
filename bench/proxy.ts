// Requests a second of the embedded proxy, a real Envoy and nginx as HTTP/1.1 gateways with the same routes,
// each alone on one core in turn.
// node_modules/.bin/node bench/proxy.ts [--rounds N] [--seconds N] [--connections N] [--before CHECKOUT]
// [--logged] [--output json] (Linux; needs wrk; see bench/README.md)
import { type ChildProcess, execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, get } from 'node:http';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';

const { values: flags } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '5' },
    connections: { type: 'string', default: '50' },
    before: { type: 'string' },
    logged: { type: 'boolean', default: false },
    output: { type: 'string', default: 'text' },
    upstream: { type: 'boolean', default: false },
  },
});

const root = join(import.meta.dirname, '..');
const ports = {
  upstream: 18_081,
  xds: 18_010,
  envoy: 18_101,
  embedded: 18_102,
  nginx: 18_103,
  before: 18_104,
  logged: 18_105,
  xdsLogged: 18_011,
} as const;
const hasNginx = !spawnSync('nginx', ['-v']).error;
const body = JSON.stringify({ id: 1, title: 'The Comedy of Errors' });
const proxyCore = '0';
const loadCore = '1';

interface Contender {
  /** `before`: the embedded proxy of another checkout; `logged`: with a JSON access log in a file. */
  readonly name: 'envoy' | 'embedded' | 'before' | 'logged' | 'nginx';
  readonly process: ChildProcess;
}

interface Sample {
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly failed: number;
  readonly residentMb: number;
}

const millisecondsIn: Readonly<Record<string, number>> = { us: 1e-3, ms: 1, s: 1000 };

if (flags.upstream) serveUpstream();
else await main();

async function main(): Promise<void> {
  if (spawnSync('wrk', ['-v']).error) throw new Error('wrk is needed: apt-get install wrk');
  const folder = mkdtempSync(join(tmpdir(), 'meltemi-bench-'));
  const started: ChildProcess[] = [];
  const start = (core: string, command: string, args: readonly string[]): ChildProcess => {
    const child = spawn('taskset', ['-c', core, command, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
    started.push(child);
    return child;
  };
  try {
    const node = process.execPath;
    startUpstream(folder, start);
    writeFileSync(join(folder, 'mesh.yaml'), meshYaml());
    const config = join(folder, 'mesh.yaml');
    const logged = join(folder, 'logged.yaml');
    writeFileSync(
      logged,
      JSON.stringify({ accessLogFile: join(folder, 'access.log'), accessLogEncoding: 'JSON' }),
    );
    const startPilot = async (port: number, ...more: readonly string[]): Promise<void> => {
      const address = ['--xds', `127.0.0.1:${port}`, '--output', 'json', ...more];
      const program = join(root, 'src/cli/main.ts');
      const pilot = start(loadCore, node, [program, 'pilot', '--config', config, ...address]);
      if (pilot.stdout) await once(pilot.stdout, 'data');
    };
    await startPilot(ports.xds);
    if (flags.logged) await startPilot(ports.xdsLogged, '--mesh-config', logged);
    const contenders = startContenders(folder, start);
    for (const contender of contenders) await answering(ports[contender.name]);
    report(contenders, measure(contenders));
  } finally {
    for (const child of started.reverse()) child.kill('SIGTERM');
    rmSync(folder, { recursive: true });
  }
}

/** nginx answers faster than Node, so that the proxies and not their upstream are measured. */
function startUpstream(
  folder: string,
  start: (core: string, command: string, args: readonly string[]) => ChildProcess,
): void {
  if (!hasNginx) {
    start(loadCore, process.execPath, [join(root, 'bench', 'proxy.ts'), '--upstream']);
    return;
  }
  const file = join(folder, 'upstream.conf');
  writeFileSync(file, upstreamConf(folder));
  start(loadCore, 'nginx', ['-c', file, '-g', 'daemon off; master_process off;']);
}

function startContenders(
  folder: string,
  start: (core: string, command: string, args: readonly string[]) => ChildProcess,
): readonly Contender[] {
  const bootstrap = (name: string): string => {
    const file = join(folder, `${name}.json`);
    writeFileSync(file, JSON.stringify(bootstrapOf(name)));
    return file;
  };
  const embedded = (name: 'embedded' | 'before' | 'logged', checkout: string): Contender => {
    const args = [join(checkout, 'src/cli/main.ts'), 'proxy', '-c', bootstrap(name), '-l', 'warning'];
    return { name, process: start(proxyCore, process.execPath, args) };
  };
  const contenders: Contender[] = [embedded('embedded', root)];
  if (flags.before !== undefined) contenders.push(embedded('before', resolve(flags.before)));
  if (flags.logged) contenders.push(embedded('logged', root));
  const envoy = process.env['ENVOY'] ?? globSync(join(root, '.cache/**/envoy/_bin/envoy'))[0];
  if (envoy && existsSync(envoy))
    contenders.push({
      name: 'envoy',
      process: start(proxyCore, envoy, [
        '-c',
        bootstrap('envoy'),
        '--concurrency',
        '1',
        '-l',
        'warning',
        '--base-id',
        '77',
      ]),
    });
  else
    process.stderr.write(
      'no Envoy: set ENVOY, or run npm run conformance -- --engine envoy seed once, which installs one; it is left out\n',
    );
  if (!hasNginx) process.stderr.write('no nginx: it is left out\n');
  else {
    writeFileSync(join(folder, 'nginx.conf'), nginxConf(folder));
    contenders.push({
      name: 'nginx',
      process: start(proxyCore, 'nginx', [
        '-c',
        join(folder, 'nginx.conf'),
        '-g',
        'daemon off; master_process off;',
      ]),
    });
  }
  return contenders;
}

/** Rounds are interleaved: what disturbs the machine disturbs all alike. */
function measure(contenders: readonly Contender[]): ReadonlyMap<string, readonly Sample[]> {
  const samples = new Map<string, Sample[]>(contenders.map(({ name }) => [name, []]));
  for (const { name } of contenders) load(name, '1');
  for (let round = 0; round < Number(flags.rounds); round++) {
    for (const contender of inOrderOf(round, contenders))
      samples
        .get(contender.name)
        ?.push({ ...load(contender.name, flags.seconds), residentMb: residentMb(contender) });
  }
  return samples;
}

/** Nobody always comes after the same one, which leaves the upstream and the core in a state of its own. */
function inOrderOf(round: number, contenders: readonly Contender[]): readonly Contender[] {
  const at = Math.floor(round / 2) % contenders.length;
  const turned = [...contenders.slice(at), ...contenders.slice(0, at)];
  return round % 2 === 0 ? turned : turned.toReversed();
}

function load(name: keyof typeof ports, seconds: string): Omit<Sample, 'residentMb'> {
  const args = [
    '-c',
    loadCore,
    'wrk',
    '-t1',
    `-c${flags.connections}`,
    `-d${seconds}s`,
    '--latency',
    '-H',
    'Host: bench.example',
    `http://127.0.0.1:${ports[name]}/api/products/1`,
  ];
  const text = execFileSync('taskset', args).toString();
  const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
  const milliseconds = (pattern: RegExp): number => {
    const [, value, unit = 'ms'] = pattern.exec(text) ?? [];
    return Number(value) * (millisecondsIn[unit] ?? 1);
  };
  return {
    requestsPerSecond: number(/Requests\/sec:\s+([\d.]+)/),
    p50Ms: milliseconds(/50%\s+([\d.]+)(us|ms|s)/),
    p99Ms: milliseconds(/99%\s+([\d.]+)(us|ms|s)/),
    failed:
      number(/Non-2xx or 3xx responses: (\d+)/) +
      number(/connect (\d+)/) +
      number(/read (\d+)/) +
      number(/timeout (\d+)/),
  };
}

function residentMb({ process: child }: Contender): number {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8'))?.[1] ?? 0) / 1024;
}

function report(contenders: readonly Contender[], samples: ReadonlyMap<string, readonly Sample[]>): void {
  const median = (values: readonly number[]): number =>
    [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
  const rows = contenders.map(({ name }) => {
    const own = samples.get(name) ?? [];
    const pick = (field: keyof Sample): number => median(own.map((sample) => sample[field]));
    const failed = own.reduce((sum, sample) => sum + sample.failed, 0);
    return {
      name,
      requestsPerSecond: pick('requestsPerSecond'),
      p50Ms: pick('p50Ms'),
      p99Ms: pick('p99Ms'),
      residentMb: pick('residentMb'),
      failed,
    };
  });
  const base = rows.find((row) => row.name === 'envoy')?.requestsPerSecond;
  const all = rows.map((row) => ({ ...row, timesEnvoy: base ? row.requestsPerSecond / base : undefined }));
  if (flags.output === 'json') {
    process.stdout.write(
      `${JSON.stringify({ rounds: Number(flags.rounds), seconds: Number(flags.seconds), connections: Number(flags.connections), rows: all })}\n`,
    );
    return;
  }
  process.stdout.write('proxy      requests/s   times Envoy   p50 ms   p99 ms   resident MB   failed\n');
  for (const row of all) {
    const cells = [
      row.requestsPerSecond.toFixed(0).padStart(10),
      (row.timesEnvoy?.toFixed(2) ?? '-').padStart(13),
      row.p50Ms.toFixed(2).padStart(8),
      row.p99Ms.toFixed(2).padStart(8),
      row.residentMb.toFixed(0).padStart(13),
      String(row.failed).padStart(8),
    ];
    process.stdout.write(`${row.name.padEnd(10)} ${cells.join(' ')}\n`);
  }
}

async function answering(port: number): Promise<void> {
  const deadline = Date.now() + 15_000;
  while (Date.now() < deadline) {
    const status = await new Promise<number>((resolve) => {
      get(
        { port, host: '127.0.0.1', path: '/api/products/1', headers: { host: 'bench.example' } },
        (response) => {
          response.resume();
          resolve(response.statusCode ?? 0);
        },
      ).on('error', () => resolve(0));
    });
    if (status === 200) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`port ${port} does not answer 200`);
}

/** The upstream that all proxies forward to. */
function serveUpstream(): void {
  const answer = { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)) };
  createServer({ keepAliveTimeout: 60_000 }, (_request, response) =>
    response.writeHead(200, answer).end(body),
  ).listen(ports.upstream, '127.0.0.1');
}

/**
 * A gateway a contender; routes with conditions, a timeout, retries and header rules, behind a few that do
 * not match.
 */
function meshYaml(): string {
  const gateway = (name: 'envoy' | 'embedded' | 'before' | 'logged'): string =>
    `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: ${name}}\nspec: {selector: {bench: ${name}}, servers: [{port: {number: ${ports[name]}, name: http, protocol: HTTP}, bind: 127.0.0.1, hosts: [bench.example]}]}`;
  return [
    gateway('envoy'),
    gateway('embedded'),
    gateway('before'),
    gateway('logged'),
    `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: upstream}
spec: {hosts: [upstream.example], location: MESH_EXTERNAL, resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], endpoints: [{address: 127.0.0.1, ports: {http: ${ports.upstream}}}]}`,
    `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: bench}
spec:
  hosts: [bench.example]
  gateways: [envoy, embedded, before, logged]
  http:
  - match: [{uri: {exact: /login}}, {uri: {prefix: /static}}]
    route: [{destination: {host: upstream.example}}]
  - match: [{uri: {prefix: /api}, headers: {x-canary: {exact: "1"}}}]
    route: [{destination: {host: upstream.example}}]
  - match: [{uri: {prefix: /api/products}}]
    timeout: 5s
    retries: {attempts: 2, retryOn: "5xx,connect-failure"}
    headers: {request: {set: {x-route: products}}, response: {add: {x-served-by: mesh}}}
    route: [{destination: {host: upstream.example}}]`,
  ].join('\n---\n');
}

function bootstrapOf(name: string): object {
  const cluster = {
    name: 'xds',
    type: 'STATIC',
    connect_timeout: '1s',
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: { http2_protocol_options: {} },
      },
    },
    load_assignment: {
      cluster_name: 'xds',
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: {
                address: {
                  socket_address: {
                    address: '127.0.0.1',
                    port_value: name === 'logged' ? ports.xdsLogged : ports.xds,
                  },
                },
              },
            },
          ],
        },
      ],
    },
  };
  return {
    node: {
      id: `router~127.0.0.1~${name}.default~default.svc.cluster.local`,
      cluster: name,
      metadata: { NAMESPACE: 'default', LABELS: { bench: name }, CLUSTER_ID: 'Kubernetes' },
    },
    dynamic_resources: {
      ads_config: {
        api_type: 'GRPC',
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
      cds_config: { ads: {}, resource_api_version: 'V3' },
      lds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: { clusters: [cluster] },
  };
}

function upstreamConf(folder: string): string {
  return `worker_processes 1; error_log ${folder}/upstream.err; pid ${folder}/upstream.pid;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000; default_type application/json;
  client_body_temp_path ${folder}/ub; proxy_temp_path ${folder}/up; fastcgi_temp_path ${folder}/uf; uwsgi_temp_path ${folder}/uu; scgi_temp_path ${folder}/us;
  server { listen 127.0.0.1:${ports.upstream}; location / { return 200 '${body}'; } } }
`;
}

function nginxConf(folder: string): string {
  return `worker_processes 1; error_log ${folder}/nginx.err; pid ${folder}/nginx.pid;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000000;
  client_body_temp_path ${folder}/body; proxy_temp_path ${folder}/proxy; fastcgi_temp_path ${folder}/f; uwsgi_temp_path ${folder}/u; scgi_temp_path ${folder}/s;
  upstream u { server 127.0.0.1:${ports.upstream}; keepalive 128; keepalive_requests 1000000000; }
  server { listen 127.0.0.1:${ports.nginx}; location /api/products { proxy_http_version 1.1; proxy_set_header Connection ""; proxy_set_header x-route products; add_header x-served-by mesh; proxy_read_timeout 5s; proxy_pass http://u; } } }
`;
}
