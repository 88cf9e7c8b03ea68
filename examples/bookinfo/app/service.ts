// What the services of the example share: an HTTP server with routes, and calls to the other services that
// keep a request's headers.
import {
  createServer,
  get,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';

export const version = process.env['VERSION'] ?? 'v1';
export const podName = process.env['POD_NAME'] ?? 'unknown';

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** A text is sent as HTML, everything else as JSON. */
  readonly body: unknown;
}

export type Handler = (request: IncomingMessage, url: URL) => Answer | Promise<Answer>;

export function serve(handlers: Readonly<Record<string, Handler>>): void {
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? '/', 'http://service');
    const handler = handlers[url.pathname] ?? handlers['*'];
    Promise.resolve(handler?.(request, url) ?? { status: 404, body: { error: 'not found' } })
      .catch((error: unknown) => ({ status: 500, body: { error: String(error) } }))
      .then((answer) => send(response, answer));
  });
  server.listen(Number(process.env['PORT'] ?? 9080), '127.0.0.1');
  process.once('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

export interface CallResult {
  readonly status: number;
  /** Parsed JSON; undefined when the body is something else. */
  readonly body: unknown;
  readonly error?: string;
}

/**
 * Calls another service by name. The variable `HTTP_PROXY` leads the call through the sidecar (`node:http`
 * follows it; `fetch` would ask for a tunnel). The headers that hold for the whole chain of calls go along.
 */
export function call(
  url: string,
  incoming: IncomingHttpHeaders,
  names: readonly string[] = passedOn,
): Promise<CallResult> {
  const headers = Object.fromEntries(
    names.flatMap((name) => (incoming[name] === undefined ? [] : [[name, incoming[name]]])),
  );
  return new Promise((resolve) => {
    const request = get(url, { headers, timeout: 15_000 }, (response) => {
      text(response).then(
        (body) => resolve({ status: response.statusCode ?? 0, body: parse(body) }),
        (error: unknown) => resolve({ status: 0, body: undefined, error: String(error) }),
      );
    });
    request.once('timeout', () => request.destroy(new Error('no answer in 15 s')));
    request.once('error', (error) => resolve({ status: 0, body: undefined, error: error.message }));
  });
}

export const tracing: readonly string[] = ['x-request-id'];
const passedOn: readonly string[] = [...tracing, 'end-user'];

export async function text(stream: IncomingMessage): Promise<string> {
  let all = '';
  for await (const chunk of stream.setEncoding('utf8')) all += chunk;
  return all;
}

/** The SPIFFE identity of the caller, which the sidecar took from its certificate. */
export function callerOf(request: IncomingMessage): string | undefined {
  return /URI=([^;,]+)/.exec(String(request.headers['x-forwarded-client-cert'] ?? ''))?.[1];
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

function send(response: ServerResponse, { status = 200, headers = {}, body }: Answer): void {
  const isPage = typeof body === 'string';
  response.writeHead(status, {
    'content-type': isPage ? 'text/html; charset=utf-8' : 'application/json',
    ...headers,
  });
  response.end(isPage ? body : `${JSON.stringify(body)}\n`);
}
