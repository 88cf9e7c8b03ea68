// The administration interface: readiness, what is in force, counters, draining.
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { ClusterSet } from '../cluster/cluster-set.ts';
import type { ListenerSet } from '../listener/listener-set.ts';
import { formatAddress } from '../net/address.ts';
import { prometheusText, type Stats } from '../stats/stats.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import { clustersText, configDump } from './config-dump.ts';

export interface AdminOptions {
  readonly stats: Stats;
  readonly clusters: ClusterSet;
  readonly listeners: ListenerSet;
  readonly secrets: SecretStore;
  readonly nodeId: string;
  readonly state: () => 'LIVE' | 'DRAINING' | 'PRE_INITIALIZING';
  readonly drain: () => void;
  readonly quit: () => void;
}

interface Reply {
  readonly status?: number;
  readonly body: string;
  readonly json?: boolean;
}

export class AdminServer {
  readonly #options: AdminOptions;
  readonly #server: http.Server;
  readonly #started = Date.now();

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = http.createServer((request, response) => this.#serve(request, response));
  }

  get port(): number | undefined {
    const address = this.#server.address() as AddressInfo | null;
    return address?.port;
  }

  listen(ip: string, port: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, ip, () => {
        this.#server.off('error', reject);
        resolve();
      });
    });
  }

  close(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://admin');
    // What changes state must not be reachable by a link or an image.
    const reply = changes.has(url.pathname) && request.method !== 'POST' ? { status: 405, body: 'use POST\n' } : this.#answer(url);
    response.writeHead(reply.status ?? 200, {
      'content-type': reply.json ? 'application/json' : 'text/plain; charset=UTF-8',
      'cache-control': 'no-cache, max-age=0',
      'x-content-type-options': 'nosniff',
    });
    response.end(reply.body);
  }

  #answer(url: URL): Reply {
    const { stats, clusters, listeners, secrets } = this.#options;
    switch (url.pathname) {
      case '/ready': {
        const state = this.#options.state();
        return { status: state === 'LIVE' ? 200 : 503, body: `${state}\n` };
      }
      case '/listeners':
        return url.searchParams.get('format') === 'json'
          ? json({ listener_statuses: [...listeners.active()].map(listenerStatus) })
          : { body: listenersText(listeners) };
      case '/clusters':
        return { body: clustersText(clusters) };
      case '/stats':
        return url.searchParams.get('format') === 'prometheus'
          ? { body: prometheusText(stats) }
          : { body: statsText(stats, url.searchParams.get('filter')) };
      case '/stats/prometheus':
        return { body: prometheusText(stats) };
      case '/config_dump':
        return json(configDump(clusters, listeners, { withEndpoints: url.searchParams.has('include_eds') }));
      case '/certs':
        return json({ certificates: [], secrets_generation: secrets.generation });
      case '/server_info':
        return json({
          version: 'meltemi',
          state: this.#options.state(),
          uptime_current_epoch: `${Math.floor((Date.now() - this.#started) / 1000)}s`,
          node: { id: this.#options.nodeId },
        });
      case '/drain_listeners':
        this.#options.drain();
        return { body: 'OK\n' };
      case '/quitquitquit':
        setImmediate(this.#options.quit);
        return { body: 'OK\n' };
      default:
        return { status: 404, body: 'invalid path. Try /ready, /listeners, /clusters, /stats, /config_dump, /server_info\n' };
    }
  }
}

const changes = new Set(['/drain_listeners', '/quitquitquit']);

function json(value: unknown): Reply {
  return { body: `${JSON.stringify(value, null, 1)}\n`, json: true };
}

function statsText(stats: Stats, filter: string | null): string {
  return stats
    .all()
    .filter((stat) => filter === null || stat.name.includes(filter))
    .map((stat) => `${stat.name}: ${stat.value}\n`)
    .join('');
}

function listenersText(listeners: ListenerSet): string {
  return [...listeners.active()]
    .filter((one) => one.bind)
    .map((one) => `${one.name}::${formatAddress(one.address.ip, one.address.port)}\n`)
    .join('');
}

function listenerStatus(one: { name: string; address: { ip: string; port: number } }): unknown {
  return { name: one.name, local_address: { socket_address: { address: one.address.ip, port_value: one.address.port } } };
}
