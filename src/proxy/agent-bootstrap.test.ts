// A bootstrap as Istio's agent writes it, with the parts that this proxy has no use for: its two listeners
// without a name must work, since nothing is ready for Kubernetes before they do.
// https://github.com/istio/istio/blob/master/tools/packaging/common/envoy_bootstrap.json
import assert from 'node:assert/strict';
import http from 'node:http';
import { after, before, describe, test } from 'node:test';
import zlib from 'node:zlib';
import { cluster, freePort, httpFilter, portOf, router } from './fake-bootstrap.ts';
import { type RunningProxy, readBootstrap, startProxy } from './index.ts';

const typed = (name: string, type: string, fields: object = {}): object => ({
  name,
  typed_config: { '@type': `type.googleapis.com/${type}`, ...fields },
});
const struct = (name: string, typeUrl: string): object =>
  typed(name, 'udpa.type.v1.TypedStruct', { type_url: typeUrl, value: { x: 1 } });

interface Ports {
  readonly admin: number;
  readonly agent: number;
  readonly prometheus: number;
  readonly status: number;
}

const at = (port: number): object => ({
  address: { socket_address: { protocol: 'TCP', address: '127.0.0.1', port_value: port } },
});

function agentBootstrap({ admin, agent, prometheus, status }: Ports): string {
  const gzip = typed('text_optimized', 'envoy.extensions.compression.gzip.compressor.v3.Gzip');
  const compressor = typed(
    'envoy.filters.http.compressor',
    'envoy.extensions.filters.http.compressor.v3.Compressor',
    {
      compressor_library: gzip,
      remove_accept_encoding_header: true,
    },
  );
  const toCluster = (prefix: string, name: string): object => ({
    match: { prefix },
    route: { cluster: name },
  });
  return JSON.stringify({
    node: {
      id: 'sidecar~10.0.0.1~web.default~default.svc.cluster.local',
      cluster: 'web.default',
      locality: {},
      metadata: { LABELS: { app: 'web' } },
    },
    layered_runtime: {
      layers: [
        {
          name: 'global config',
          static_layer: { 'overload.global_downstream_max_connections': '2147483647' },
        },
        { name: 'admin', admin_layer: {} },
      ],
    },
    bootstrap_extensions: [
      struct(
        'envoy.bootstrap.internal_listener',
        'type.googleapis.com/envoy.extensions.bootstrap.internal_listener.v3.InternalListener',
      ),
    ],
    stats_config: {
      use_all_default_tags: false,
      stats_tags: [{ tag_name: 'cluster_name', regex: '^cluster\\.((.+?)\\.)' }],
      stats_matcher: {
        inclusion_list: { patterns: [{ prefix: 'reporter=' }, { safe_regex: { regex: '.*' } }] },
      },
    },
    admin: {
      access_log: [
        typed('envoy.access_loggers.file', 'envoy.extensions.access_loggers.file.v3.FileAccessLog', {
          path: '/dev/null',
        }),
      ],
      ...at(admin),
    },
    static_resources: {
      clusters: [
        cluster('prometheus_stats', [admin], { connect_timeout: '0.250s' }),
        cluster('agent', [agent], { connect_timeout: '0.250s' }),
      ],
      listeners: [
        {
          ...at(prometheus),
          filter_chains: [
            {
              filters: [
                httpFilter([toCluster('/stats/prometheus', 'prometheus_stats')], {
                  stat_prefix: 'stats',
                  http_filters: [compressor, router],
                }),
              ],
            },
          ],
        },
        {
          ...at(status),
          filter_chains: [
            { filters: [httpFilter([toCluster('/healthz/ready', 'agent')], { stat_prefix: 'agent' })] },
          ],
        },
      ],
    },
    tracing: {
      http: typed('envoy.tracers.zipkin', 'envoy.config.trace.v3.ZipkinConfig', {
        collector_cluster: 'zipkin',
      }),
    },
    stats_sinks: [typed('envoy.stat_sinks.metrics_service', 'envoy.config.metrics.v3.MetricsServiceConfig')],
  });
}

interface Answer {
  readonly status: number;
  readonly headers: http.IncomingHttpHeaders;
  readonly body: Buffer;
}

function get(port: number, path: string, headers: http.OutgoingHttpHeaders = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', port, path, headers, agent: false }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on('error', reject);
  });
}

describe("a bootstrap of Istio's agent", () => {
  let proxy: RunningProxy;
  let ports: Ports = { admin: 0, agent: 0, prometheus: 0, status: 0 };
  const warnings: string[] = [];
  // The agent calls a proxy ready by two of its statistics.
  const agent = http.createServer((_request, response) => {
    void get(ports.admin, '/stats?usedonly&filter=^(server\\.state|listener_manager\\.workers_started)').then(
      ({ body }) => {
        const ready = body.toString() === 'listener_manager.workers_started: 1\nserver.state: 0\n';
        response.writeHead(ready ? 200 : 503).end();
      },
    );
  });

  before(async () => {
    ports = {
      admin: await freePort(),
      agent: await portOf(agent),
      prometheus: await freePort(),
      status: await freePort(),
    };
    proxy = await startProxy(readBootstrap(agentBootstrap(ports)), {
      log: (_level, message) => warnings.push(message),
    });
    await proxy.ready;
  });
  after(async () => {
    await proxy.stop();
    agent.close();
  });

  test('is taken without a complaint', () => assert.deepEqual(warnings, []));

  test('is ready on its status port', async () => {
    assert.equal((await get(ports.status, '/healthz/ready')).status, 200);
    assert.equal((await get(ports.status, '/other')).status, 404);
  });

  test('shows its statistics to Prometheus, compressed for who takes that', async () => {
    const plain = await get(ports.prometheus, '/stats/prometheus', { accept: 'text/plain;version=0.0.4' });
    assert.match(
      plain.body.toString(),
      /^envoy_http_downstream_rq_total\{envoy_http_conn_manager_prefix="stats"\} 1$/m,
    );
    const metrics = [...plain.body.toString().matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    assert.deepEqual(metrics, [...new Set(metrics)]);
    const small = await get(ports.prometheus, '/stats/prometheus', { 'accept-encoding': 'gzip' });
    assert.equal(small.headers['content-encoding'], 'gzip');
    assert.match(zlib.gunzipSync(small.body).toString(), /^envoy_server_state 0$/m);
  });
});
