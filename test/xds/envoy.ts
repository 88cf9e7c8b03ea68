// A real Envoy, a gateway unless it says otherwise, driven by a pilot of the test, for the tests in this
// folder.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '../real-software.ts';

export const apiTypes = ['GRPC', 'DELTA_GRPC'] as const;
export type ApiType = (typeof apiTypes)[number];

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** What an Envoy says of itself. */
export interface EnvoyNode {
  readonly id: string;
  readonly cluster: string;
  readonly metadata: Readonly<Record<string, unknown>>;
}

const gateway: EnvoyNode = {
  id: 'router~127.0.0.1~edge.default~default.svc.cluster.local',
  cluster: 'edge',
  metadata: { NAMESPACE: 'default', LABELS: { app: 'edge' }, CLUSTER_ID: 'Kubernetes' },
};

export class DrivenEnvoy {
  readonly #process: ChildProcess;
  readonly #folder: string;
  readonly #adminPort: number;
  #log = '';

  private constructor(child: ChildProcess, folder: string, adminPort: number) {
    this.#process = child;
    this.#folder = folder;
    this.#adminPort = adminPort;
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#log += chunk.toString();
    });
  }

  /** `xds` is the address of its control plane. */
  static async start(xds: string, apiType: ApiType, node = gateway): Promise<DrivenEnvoy> {
    const adminPort = await freePort();
    return DrivenEnvoy.startWith(
      JSON.stringify(bootstrapOf({ xdsPort: portOf(xds), adminPort, apiType, node })),
      adminPort,
    );
  }

  /** The bootstrap may be YAML. Statistics are to be had where its admin listens. */
  static startWith(bootstrap: string, adminPort = 0): DrivenEnvoy {
    const binary = envoyBinary();
    if (!binary) throw new Error('no Envoy');
    const folder = mkdtempSync(join(tmpdir(), 'meltemi-envoy-'));
    const file = join(folder, 'bootstrap.yaml');
    writeFileSync(file, bootstrap);
    const child = spawn(
      binary,
      ['-c', file, '--concurrency', '2', '-l', 'warning', '--disable-hot-restart'],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    return new DrivenEnvoy(child, folder, adminPort);
  }

  get log(): string {
    return this.#log;
  }

  /** Counters and gauges by name. */
  async statistics(filter: string): Promise<ReadonlyMap<string, number>> {
    const text = await new Promise<string>((resolve, reject) => {
      get(
        { host: '127.0.0.1', port: this.#adminPort, path: `/stats?filter=${encodeURIComponent(filter)}` },
        (response) => {
          let body = '';
          response.on('data', (chunk: Buffer) => {
            body += chunk.toString();
          });
          response.on('end', () => resolve(body));
        },
      ).on('error', reject);
    });
    return new Map(
      [...text.matchAll(/^(.+): (\d+)$/gm)].map(([, name = '', value]) => [name, Number(value)]),
    );
  }

  async stop(): Promise<void> {
    if (this.#process.exitCode === null) {
      this.#process.kill('SIGKILL');
      await once(this.#process, 'exit');
    }
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

interface BootstrapParts {
  readonly xdsPort: number;
  readonly adminPort: number;
  readonly apiType: ApiType;
  readonly node: EnvoyNode;
}

function bootstrapOf({ xdsPort, adminPort, apiType, node }: BootstrapParts): object {
  const address = (port: number): object => ({ socket_address: { address: '127.0.0.1', port_value: port } });
  return {
    admin: { address: address(adminPort) },
    node,
    dynamic_resources: {
      ads_config: {
        api_type: apiType,
        transport_api_version: 'V3',
        set_node_on_first_message_only: true,
        grpc_services: [{ envoy_grpc: { cluster_name: 'xds' } }],
      },
      cds_config: { ads: {}, resource_api_version: 'V3' },
      lds_config: { ads: {}, resource_api_version: 'V3' },
    },
    static_resources: {
      clusters: [
        {
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
            endpoints: [{ lb_endpoints: [{ endpoint: { address: address(xdsPort) } }] }],
          },
        },
      ],
    },
  };
}
