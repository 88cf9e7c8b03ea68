import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import net, { type AddressInfo } from 'node:net';
import { after, before, describe, test } from 'node:test';
import { create, type DescMessage, fromBinary, fromJson, toBinary } from '@bufbuild/protobuf';
import { type Any, anyPack } from '@bufbuild/protobuf/wkt';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import { ListenerSchema } from '@meltemi/envoy-api/envoy/config/listener/v3/listener';
import { RouteConfigurationSchema } from '@meltemi/envoy-api/envoy/config/route/v3/route';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { discoveryMethods } from '../xds/index.ts';
import { knownTypes, type RunningProxy, readBootstrap, startProxy } from './index.ts';

const asBytes = (bytes: Buffer): Buffer => bytes;

/** Serves whatever the test last set, pushing each change; remembers what the proxy answered. */
class Ads {
  readonly #server = new Server();
  readonly #resources = new Map<string, { name: string; any: Any }[]>();
  readonly #wanted = new Map<string, DiscoveryRequest>();
  readonly #waiting: {
    done: (request: DiscoveryRequest) => boolean;
    resolve: (request: DiscoveryRequest) => void;
  }[] = [];
  #call: ServerDuplexStream<Buffer, Buffer> | undefined;
  #version = 0;
  port = 0;

  async start(): Promise<void> {
    const method = {
      path: discoveryMethods.aggregated,
      requestStream: true,
      responseStream: true,
      requestSerialize: asBytes,
      requestDeserialize: asBytes,
      responseSerialize: asBytes,
      responseDeserialize: asBytes,
    } as const;
    this.#server.addService(
      { stream: method },
      { stream: (call: ServerDuplexStream<Buffer, Buffer>) => this.#serve(call) },
    );
    this.port = await new Promise((resolve, reject) => {
      this.#server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, port) =>
        error ? reject(error) : resolve(port),
      );
    });
  }

  stop(): void {
    this.#server.forceShutdown();
  }

  /**
   * Sets all resources of a type; resolves with the proxy's answer to the push, when it has asked for the
   * type.
   */
  set(schema: DescMessage, list: readonly object[]): Promise<DiscoveryRequest> {
    const typeUrl = `type.googleapis.com/${schema.typeName}`;
    this.#resources.set(
      typeUrl,
      list.map((json) => ({
        name: nameOf(json),
        any: anyPack(schema, fromJson(schema, json as never, { registry: knownTypes })),
      })),
    );
    const nonce = String(++this.#version);
    const answer = new Promise<DiscoveryRequest>((resolve) => {
      this.#waiting.push({
        done: (request) => request.typeUrl === typeUrl && Number(request.responseNonce) >= Number(nonce),
        resolve,
      });
    });
    if (this.#wanted.has(typeUrl)) this.#push(typeUrl, nonce);
    return answer;
  }

  #serve(call: ServerDuplexStream<Buffer, Buffer>): void {
    this.#call = call;
    this.#wanted.clear();
    call.on('error', () => undefined);
    call.on('data', (bytes: Buffer) => {
      const request = fromBinary(DiscoveryRequestSchema, bytes);
      const before = this.#wanted.get(request.typeUrl);
      this.#wanted.set(request.typeUrl, request);
      for (const one of this.#waiting.filter((waiting) => waiting.done(request))) {
        this.#waiting.splice(this.#waiting.indexOf(one), 1);
        one.resolve(request);
      }
      if (request.responseNonce === '' || before?.resourceNames.join() !== request.resourceNames.join())
        this.#push(request.typeUrl, String(++this.#version));
    });
  }

  #push(typeUrl: string, nonce: string): void {
    const names = new Set(this.#wanted.get(typeUrl)?.resourceNames ?? []);
    const resources = (this.#resources.get(typeUrl) ?? [])
      .filter((one) => names.size === 0 || names.has(one.name))
      .map((one) => one.any);
    this.#call?.write(
      Buffer.from(
        toBinary(
          DiscoveryResponseSchema,
          create(DiscoveryResponseSchema, { typeUrl, nonce, versionInfo: nonce, resources }),
        ),
      ),
    );
  }
}

function nameOf(json: object): string {
  const fields = json as { name?: string; cluster_name?: string };
  return fields.name ?? fields.cluster_name ?? '';
}

const ads = { ads: {}, resource_api_version: 'V3' };

function listener(port: number, serverName: string, more: object = {}): object {
  const hcm = {
    '@type':
      'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager',
    stat_prefix: 'main',
    server_name: serverName,
    http_filters: [
      {
        name: 'envoy.filters.http.router',
        typed_config: { '@type': 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router' },
      },
    ],
    rds: { config_source: ads, route_config_name: 'main' },
    ...more,
  };
  return {
    name: 'main',
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      { filters: [{ name: 'envoy.filters.network.http_connection_manager', typed_config: hcm }] },
    ],
  };
}

function routes(cluster: string, more: object = {}): object {
  return {
    name: 'main',
    virtual_hosts: [
      { name: 'v', domains: ['*'], routes: [{ match: { prefix: '/' }, route: { cluster } }], ...more },
    ],
  };
}

function eds(name: string, more: object = {}): object {
  return { name, type: 'EDS', eds_cluster_config: { eds_config: ads }, connect_timeout: '1s', ...more };
}

function endpoints(name: string, port: number): object {
  return {
    cluster_name: name,
    endpoints: [
      {
        lb_endpoints: [
          { endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } },
        ],
      },
    ],
  };
}

describe('a proxy under ADS', () => {
  const upstream = http.createServer((request, response) => void response.end(`${request.headers.host}`));
  const control = new Ads();
  let proxy: RunningProxy;
  let port = 0;
  let up = 0;

  before(async () => {
    upstream.listen(0, '127.0.0.1');
    await Promise.all([once(upstream, 'listening'), control.start()]);
    up = (upstream.address() as AddressInfo).port;
    const probe = net.createServer().listen(0, '127.0.0.1');
    await once(probe, 'listening');
    port = (probe.address() as AddressInfo).port;
    probe.close();
    void control.set(ClusterSchema, [eds('one')]);
    void control.set(ClusterLoadAssignmentSchema, [endpoints('one', up), endpoints('two', up)]);
    void control.set(ListenerSchema, [listener(port, 'first')]);
    void control.set(RouteConfigurationSchema, [routes('one')]);
    const bootstrap = {
      node: { id: 'n' },
      dynamic_resources: {
        ads_config: { api_type: 'GRPC', grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }] },
        cds_config: ads,
        lds_config: ads,
      },
      static_resources: {
        clusters: [
          {
            name: 'xds',
            type: 'STATIC',
            load_assignment: {
              cluster_name: 'xds',
              endpoints: [
                {
                  lb_endpoints: [
                    {
                      endpoint: {
                        address: { socket_address: { address: '127.0.0.1', port_value: control.port } },
                      },
                    },
                  ],
                },
              ],
            },
          },
        ],
      },
    };
    proxy = await startProxy(readBootstrap(JSON.stringify(bootstrap)), { drainMs: 300 });
    await proxy.ready;
  });

  after(async () => {
    await proxy.stop();
    control.stop();
    upstream.closeAllConnections();
    upstream.close();
  });

  const get = (agent: http.Agent | false): Promise<{ status: number; server: string }> =>
    new Promise((resolve, reject) => {
      http
        .get({ host: '127.0.0.1', port, agent }, (response) => {
          response.resume();
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, server: String(response.headers.server) }),
          );
        })
        .on('error', reject);
    });

  test('serves what it was given', async () => {
    assert.deepEqual(await get(false), { status: 200, server: 'first' });
  });

  test('no request fails while listeners, routes and clusters change', async () => {
    const agent = new http.Agent({ keepAlive: true, maxSockets: 8 });
    const failures: string[] = [];
    let sent = 0;
    let going = true;
    const load = Array.from({ length: 8 }, async () => {
      while (going) {
        sent++;
        await get(agent).then(
          (answer) => answer.status === 200 || failures.push(`status ${answer.status}`),
          (error: Error) => failures.push(error.message),
        );
      }
    });
    for (let i = 0; i < 8; i++) {
      await control.set(ClusterSchema, [eds('one'), eds('two', { connect_timeout: `${i + 1}s` })]);
      await control.set(RouteConfigurationSchema, [routes(i % 2 ? 'one' : 'two')]);
      await control.set(ListenerSchema, [listener(port, `server-${i}`)]);
    }
    going = false;
    await Promise.all(load);
    agent.destroy();
    assert.deepEqual(failures, []);
    assert.ok(sent > 50, `${sent} requests`);
    assert.equal((await get(false)).server, 'server-7');
  });

  test('a bad resource is refused by name, the rest is applied, what was there stays', async () => {
    const answer = await control.set(ClusterSchema, [
      eds('one'),
      eds('two'),
      { name: 'bad', cluster_type: { name: 'envoy.clusters.unknown' } },
      { name: 'worse', type: 'STATIC', transport_socket: { name: 'unknown' } },
    ]);
    assert.match(answer.errorDetail?.message ?? '', /bad: .*\nworse: /);
    const routesAnswer = await control.set(RouteConfigurationSchema, [
      routes('one', { domains: ['a', 'a'] }),
    ]);
    assert.match(routesAnswer.errorDetail?.message ?? '', /^main: /);
    assert.equal((await get(false)).status, 200);
    const listenerAnswer = await control.set(ListenerSchema, [
      listener(port, 'never', { http_filters: [{ name: 'envoy.filters.http.rbac' }] }),
    ]);
    assert.match(listenerAnswer.errorDetail?.message ?? '', /^main: .*rbac/);
    assert.equal((await get(false)).server, 'server-7');
    const repaired = await control.set(ListenerSchema, [listener(port, 'repaired')]);
    assert.equal(repaired.errorDetail, undefined);
    assert.equal((await get(false)).server, 'repaired');
  });

  test('goes on without the control plane', async () => {
    control.stop();
    for (let i = 0; i < 20; i++) assert.equal((await get(false)).status, 200);
  });
});
