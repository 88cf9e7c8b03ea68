// gRPC applications without a proxy, in the two implementations that share no code, driven by the pilot from
// Istio's resources.
import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import { Pilot } from '../../src/control-plane/index.ts';
import { updateOf } from './edited-mesh.ts';
import { freePort } from './envoy.ts';
import { Backend } from './grpc/backend.ts';
import { ClientProcess, languages, reasonToSkip } from './grpc/client-process.ts';

const timeout = 60_000;
const target = 'xds:///shop.default.svc.cluster.local:8080';

class Shop {
  readonly pilot: Pilot;
  readonly refusals: string[] = [];
  readonly #ports: readonly number[];

  constructor(ports: readonly number[]) {
    this.#ports = ports;
    this.pilot = new Pilot({
      onEvent: (event) => {
        if (event.kind === 'refused') this.refusals.push(`${event.type}: ${event.message}`);
      },
    });
  }

  /** `versions` are the subsets, with their weights. */
  apply(versions: Readonly<Record<string, number>>): void {
    const names = Object.keys(versions);
    const issues = this.pilot.apply(updateOf([services(this.#ports), rule(names), routes(versions)]));
    assert.deepEqual(
      issues.filter((issue) => issue.severity === 'error'),
      [],
    );
  }
}

/** Two versions of a shop, and a client of the language. */
async function open(
  t: TestContext,
  language: (typeof languages)[number],
): Promise<{ shop: Shop; client: ClientProcess }> {
  const backends = await Promise.all(['v1', 'v2'].map((name) => Backend.start(name)));
  const shop = new Shop(backends.map((backend) => backend.port));
  shop.apply({ v1: 75, v2: 25 });
  const server = await shop.pilot.serve('127.0.0.1:0');
  const client = new ClientProcess(language, server.address);
  t.after(async () => {
    await client.stop();
    await server.close();
    for (const backend of backends) backend.stop();
  });
  return { shop, client };
}

for (const language of languages) {
  const skip = reasonToSkip(language);

  test(`${language}: routes, faults, timeouts and retries of a VirtualService`, {
    skip,
    timeout,
  }, async (t) => {
    const { shop, client } = await open(t, language);
    const method = (name: string): { method: string } => ({ method: `/shop.Shop/${name}` });
    const all = await client.calls(target, { count: 400 });
    assert.deepEqual(
      new Set(all.map(({ code }) => code)),
      new Set([0]),
      JSON.stringify(all.find(({ code }) => code !== 0)),
    );
    const share = all.filter(({ text }) => text === 'v1').length / all.length;
    assert.ok(share > 0.65 && share < 0.85, `${share} of the calls went to v1`);
    const beta = await client.calls(target, { count: 20, headers: { 'x-user': 'beta' } });
    assert.deepEqual(new Set(beta.map(({ text }) => text)), new Set(['v2']));
    const slow = await client.call(target, method('Slow'));
    assert.ok(slow.code === 0 && slow.ms >= 290, JSON.stringify(slow));
    assert.equal((await client.call(target, method('Broken'))).code, 8);
    const late = await client.call(target, method('Late'));
    assert.ok(late.code === 4 && late.ms < 3000, JSON.stringify(late));
    assert.equal((await client.call(target, method('Flaky'))).code, 0);
    assert.equal((await client.call(target, method('Removed'))).code, 14, 'a direct response of 503');
    assert.equal((await client.call(target, method('Moved'))).code, 2, 'a redirect');
    for (const short of ['shop:8080', 'shop.default:8080', 'shop.default.svc:8080'])
      assert.equal((await client.call(`xds:///${short}`)).code, 0, short);
    assert.deepEqual(shop.refusals, []);
  });

  test(`${language}: circuit breaking, and a service that there is not`, { skip, timeout }, async (t) => {
    const { shop, client } = await open(t, language);
    const narrow = 'xds:///narrow.default.svc.cluster.local:8080';
    assert.equal((await client.call(narrow)).code, 0);
    const held = await client.calls(narrow, { method: '/shop.Shop/Hold', count: 6, everyMs: 20 });
    assert.deepEqual(held.map(({ code }) => code).sort(), [0, 0, 14, 14, 14, 14]);
    // Clients give a service that is not there some seconds to appear:
    // https://github.com/grpc/proposal/blob/master/A27-xds-global-load-balancing.md
    const ghost = await client.call('xds:///ghost.default.svc.cluster.local:8080', { timeoutMs: 300 });
    assert.ok(ghost.code === 4 || ghost.code === 14, JSON.stringify(ghost));
    shop.pilot.apply({
      changed: [],
      removed: [{ kind: 'ServiceEntry', namespace: 'default', name: 'narrow' }],
      issues: [],
    });
    let gone = await client.call(narrow);
    while (gone.code === 0) gone = await client.call(narrow);
    assert.equal(gone.code, 14, JSON.stringify(gone));
    assert.deepEqual(shop.refusals, []);
  });

  test(`${language}: edits under load fail no call`, { skip, timeout }, async (t) => {
    const { shop, client } = await open(t, language);
    await client.call(target);
    for (let edit = 0; edit < 20; edit++) {
      // Each time one subset goes and another comes, with the rule that names them.
      const calls = client.calls(target, { count: 40 });
      shop.apply({ [edit % 2 === 0 ? 'v1' : 'v2']: 100 - edit, [`extra${edit}`]: edit });
      const failed = (await calls).filter(({ code }) => code !== 0);
      assert.deepEqual(failed, [], `edit ${edit}`);
    }
    shop.apply({ v2: 100 });
    let texts: Set<string>;
    do texts = new Set((await client.calls(target, { count: 10 })).map(({ text }) => text));
    while (texts.has('v1'));
    assert.deepEqual(texts, new Set(['v2']));
    assert.deepEqual(shop.refusals, []);
  });

  test(`${language}: a server that is configured by the pilot`, { skip, timeout }, async (t) => {
    const port = await freePort();
    const pilot = new Pilot();
    pilot.apply(
      updateOf([
        `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: served, namespace: default}
spec: {hosts: [served.default.svc.cluster.local], location: MESH_INTERNAL, resolution: STATIC, ports: [{number: 8080, name: grpc, protocol: GRPC}], endpoints: [{address: 127.0.0.1, ports: {grpc: ${port}}}]}`,
      ]),
    );
    const xds = await pilot.serve('127.0.0.1:0');
    const server = new ClientProcess(language, xds.address, '127.0.0.1');
    const client = new ClientProcess(language, xds.address);
    t.after(async () => {
      await Promise.all([client.stop(), server.stop()]);
      await xds.close();
    });
    await server.serve(port);
    let result = await client.call('xds:///served.default.svc.cluster.local:8080');
    // The server listens a moment after it says that it has started.
    while (result.code === 14) result = await client.call('xds:///served.default.svc.cluster.local:8080');
    assert.deepEqual([result.code, result.text], [0, 'served']);
  });
}

function services([v1, v2]: readonly number[]): string {
  return ['shop', 'narrow']
    .map(
      (name) => `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}, namespace: default}
spec:
  hosts: [${name}.default.svc.cluster.local]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{number: 8080, name: grpc, protocol: GRPC}]
  endpoints:
  - {address: 127.0.0.1, labels: {version: v1}, ports: {grpc: ${v1}}}
  - {address: 127.0.0.1, labels: {version: v2}, ports: {grpc: ${v2}}}`,
    )
    .join('\n---\n');
}

function rule(names: readonly string[]): string {
  const subsets = [...new Set([...names, 'v2'])].map(
    (name) => `{name: ${name}, labels: {version: ${name === 'v1' ? 'v1' : 'v2'}}}`,
  );
  return `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: shop, namespace: default}
spec: {host: shop, subsets: [${subsets.join(', ')}]}
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: {name: narrow, namespace: default}
spec: {host: narrow, trafficPolicy: {connectionPool: {http: {http2MaxRequests: 2}}}}`;
}

function routes(versions: Readonly<Record<string, number>>): string {
  const targets = Object.entries(versions).map(
    ([subset, weight]) => `{destination: {host: shop, subset: ${subset}}, weight: ${weight}}`,
  );
  const only = (method: string): string => `match: [{uri: {exact: /shop.Shop/${method}}}]`;
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: {name: shop, namespace: default}
spec:
  hosts: [shop]
  http:
  - {match: [{headers: {x-user: {exact: beta}}, method: {exact: POST}}], route: [{destination: {host: shop, subset: v2}}]}
  - {match: [{queryParams: {debug: {exact: "1"}}}, {method: {exact: GET}}], route: [{destination: {host: nowhere}}]}
  - {${only('Slow')}, fault: {delay: {fixedDelay: 300ms, percentage: {value: 100}}}, route: [{destination: {host: shop, subset: v2}}]}
  - {${only('Broken')}, fault: {abort: {grpcStatus: RESOURCE_EXHAUSTED, percentage: {value: 100}}}, route: [{destination: {host: shop, subset: v2}}]}
  - {${only('Late')}, timeout: 200ms, route: [{destination: {host: shop, subset: v2}}]}
  - {${only('Flaky')}, retries: {attempts: 2, retryOn: unavailable}, route: [{destination: {host: shop, subset: v2}}]}
  - {${only('Removed')}, directResponse: {status: 503}}
  - {${only('Moved')}, redirect: {uri: /elsewhere}}
  - {corsPolicy: {allowOrigins: [{exact: "https://example.com"}]}, mirror: {host: shop, subset: v2}, headers: {request: {add: {x-way: mesh}}}, route: [${targets.join(', ')}]}`;
}
