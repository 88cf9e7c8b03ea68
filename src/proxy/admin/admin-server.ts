// The administration interface: a server of pages, for this machine alone where they change something.
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { changeProblem, readTarget } from './admin-request.ts';
import type { AdminContext, Reply } from './page.ts';
import { pages } from './pages.ts';

export class AdminServer {
  readonly #context: AdminContext;
  readonly #server: http.Server;
  /** As configured. */
  #address = '';

  constructor(context: AdminContext) {
    this.#context = context;
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
    const page = target && byPath.get(target.path);
    if (!page) return unknownPath;
    const problem = page.changes ? changeProblem(request, this.#address) : undefined;
    return problem
      ? { status: problem.status, body: problem.text }
      : page.answer(this.#context, target.query);
  }
}

const byPath = new Map(pages.map((page) => [page.path, page]));

const unknownPath: Reply = {
  status: 404,
  body: 'invalid path. Try /ready, /listeners, /clusters, /stats, /config_dump, /server_info\n',
};
