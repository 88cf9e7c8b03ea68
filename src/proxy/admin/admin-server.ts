// The administration interface: readiness, what is in force, counters, draining.
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RE2JS } from 're2js';
import type { ListenerSet } from '../downstream/listener/listener-set.ts';
import { formatAddress } from '../net/address.ts';
import { prometheusText } from '../observe/prometheus.ts';
import type { Stats } from '../observe/stats.ts';
import type { SecretStore } from '../tls/secret-store.ts';
import type { ClusterSet } from '../upstream/cluster-set.ts';
import { type AdminRequest, changeProblem, readTarget } from './admin-request.ts';
import { clustersText, configDump } from './config-dump.ts';

export interface AdminOptions {
  readonly stats: Stats;
  readonly clusters: ClusterSet;
  readonly listeners: ListenerSet;
  readonly secrets: SecretStore;
  readonly nodeId: string;
  readonly state: () => 'LIVE' | 'DRAINING' | 'PRE_INITIALIZING';
  readonly drain: (which: 'all' | 'inbound') => void;
  readonly health: { failing: boolean };
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
  /** As configured. */
  #address = '';

  constructor(options: AdminOptions) {
    this.#options = options;
    this.#server = http.createServer((request, response) => this.#serve(request, response));
  }

  get port(): number | undefined {
    const address = this.#server.address() as AddressInfo | null;
    return address?.port;
  }

  listen(ip: string, port: number): Promise<void> {
    this.#address = ip;
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
    const reply = this.#reply(request);
    response.writeHead(reply.status ?? 200, {
      'content-type': reply.json ? 'application/json' : 'text/plain; charset=UTF-8',
      'content-length': Buffer.byteLength(reply.body),
      'cache-control': 'no-cache, max-age=0',
      'x-content-type-options': 'nosniff',
    });
    response.end(reply.body);
  }

  #reply(request: IncomingMessage): Reply {
    const target = readTarget(request.url);
    if (!target) return unknownPath;
    const problem = changes.has(target.path) ? changeProblem(request, this.#address) : undefined;
    return problem ? { status: problem.status, body: problem.text } : this.#answer(target);
  }

  #answer({ path, query }: AdminRequest): Reply {
    const { stats, clusters, listeners, secrets } = this.#options;
    switch (path) {
      case '/ready': {
        const state = this.#options.state();
        return { status: state === 'LIVE' ? 200 : 503, body: `${state}\n` };
      }
      case '/listeners':
        return query.get('format') === 'json'
          ? json({ listener_statuses: [...listeners.active()].map(listenerStatus) })
          : { body: listenersText(listeners) };
      case '/clusters':
        return { body: clustersText(clusters) };
      case '/stats':
        return query.get('format') === 'prometheus' ? { body: prometheusText(stats) } : this.#stats(query);
      case '/stats/prometheus':
        return { body: prometheusText(stats) };
      case '/config_dump':
        return json(configDump(clusters, listeners, { withEndpoints: query.has('include_eds') }));
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
        this.#options.drain(query.has('inboundonly') ? 'inbound' : 'all');
        return { body: 'OK\n' };
      case '/healthcheck/fail':
      case '/healthcheck/ok':
        this.#options.health.failing = path.endsWith('fail');
        return { body: 'OK\n' };
      case '/reset_counters':
        stats.resetCounters();
        return { body: 'OK\n' };
      case '/quitquitquit':
        setImmediate(this.#options.quit);
        return { body: 'OK\n' };
      default:
        return unknownPath;
    }
  }

  #stats(query: URLSearchParams): Reply {
    const { stats } = this.#options;
    try {
      const filter = query.get('filter');
      const pattern = filter === null ? undefined : RE2JS.compile(filter);
      const list = stats
        .all()
        .filter(
          (stat) => (!pattern || pattern.matcher(stat.name).find()) && (!query.has('usedonly') || stat.used),
        );
      if (query.get('format') === 'json')
        return json({ stats: list.map(({ name, value }) => ({ name, value })) });
      return { body: list.map((stat) => `${stat.name}: ${stat.value}\n`).join('') };
    } catch {
      return { status: 400, body: 'Invalid re2 regex\n' };
    }
  }
}

const changes = new Set([
  '/drain_listeners',
  '/healthcheck/fail',
  '/healthcheck/ok',
  '/quitquitquit',
  '/reset_counters',
]);

const unknownPath: Reply = {
  status: 404,
  body: 'invalid path. Try /ready, /listeners, /clusters, /stats, /config_dump, /server_info\n',
};

function json(value: unknown): Reply {
  return { body: `${JSON.stringify(value, null, 1)}\n`, json: true };
}

function listenersText(listeners: ListenerSet): string {
  return [...listeners.active()]
    .filter((one) => one.bind)
    .map((one) => `${one.name}::${formatAddress(one.address.ip, one.address.port)}\n`)
    .join('');
}

function listenerStatus(one: { name: string; address: { ip: string; port: number } }): unknown {
  return {
    name: one.name,
    local_address: { socket_address: { address: one.address.ip, port_value: one.address.port } },
  };
}
