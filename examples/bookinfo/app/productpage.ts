// The product page and its API. Who signs in is remembered in a cookie, and named in the header `end-user` of
// the calls to other services.
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { page } from './page.ts';
import { type Answer, call, callerOf, podName, serve, text, version } from './service.ts';

const product = {
  id: 0,
  title: 'The Comedy of Errors',
  description: 'One of Shakespeare’s early plays, and one of his shortest.',
};
const servedHeaders = { 'x-served-by': podName };

serve({
  '/productpage': productPage,
  '/login': login,
  '/logout': () => redirect('user=; Path=/; Max-Age=0'),
  '/api/v1/products': (request) => ({
    headers: servedHeaders,
    body: { products: [product], servedBy: servedBy(request) },
  }),
  '/api/v1/products/0': (request) => ({
    headers: servedHeaders,
    body: { ...product, servedBy: servedBy(request) },
  }),
  '/api/v1/products/0/details': (request) => passOn('http://details:9080/details/0', request),
  '/api/v1/products/0/reviews': (request) => passOn('http://reviews:9080/reviews/0', request),
  '/api/v1/products/0/ratings': (request) => passOn('http://ratings:9080/ratings/0', request),
  '/api/v1/products/0/outside': outside,
});

async function productPage(request: IncomingMessage): Promise<Answer> {
  const user = userOf(request);
  const headers = withUser(request);
  const [details, reviews] = await Promise.all([
    call('http://details:9080/details/0', headers),
    call('http://reviews:9080/reviews/0', headers),
  ]);
  return {
    headers: servedHeaders,
    body: page({ product, user, servedBy: servedBy(request), details, reviews }),
  };
}

async function login(request: IncomingMessage): Promise<Answer> {
  const name = new URLSearchParams(await text(request)).get('username') ?? '';
  if (request.method !== 'POST' || !/^[\w.-]{1,40}$/.test(name))
    return { status: 400, body: { error: 'POST a form with the field username' } };
  return redirect(`user=${name}; Path=/; HttpOnly; SameSite=Lax`);
}

function redirect(cookie: string): Answer {
  return {
    status: 303,
    headers: { location: '/productpage', 'set-cookie': cookie, ...servedHeaders },
    body: {},
  };
}

/** Asks a host outside the mesh, and says how that went. */
async function outside(request: IncomingMessage): Promise<Answer> {
  const began = performance.now();
  const { status } = await call('http://bar.foo.com/', withUser(request));
  return { body: { host: 'bar.foo.com', status, ms: Math.round(performance.now() - began) } };
}

async function passOn(url: string, request: IncomingMessage): Promise<Answer> {
  const { status, body, error } = await call(url, withUser(request));
  return {
    status: status || 503,
    headers: servedHeaders,
    body: body ?? { error: error ?? `${url} answered ${status}` },
  };
}

function withUser(request: IncomingMessage): IncomingHttpHeaders {
  const user = userOf(request);
  return user === undefined ? request.headers : { ...request.headers, 'end-user': user };
}

function userOf({ headers }: IncomingMessage): string | undefined {
  const named = headers['end-user'];
  return (
    (typeof named === 'string' ? named : undefined) ??
    /(?:^|;\s*)user=([\w.-]+)/.exec(headers.cookie ?? '')?.[1]
  );
}

function servedBy(request: IncomingMessage): { pod: string; version: string; caller: string | undefined } {
  return { pod: podName, version, caller: callerOf(request) };
}
