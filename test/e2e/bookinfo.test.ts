// The example of the first run, through its front door: the real command, real processes, requests over the
// gateway.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { ExampleCopy, isAlive, type Reply, UpRun } from './up-run.ts';

interface ServedBy {
  readonly pod: string;
  readonly version: string;
  readonly caller?: string;
}

const identity = (namespace: string, account: string): string =>
  `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
const example = new ExampleCopy();
let up: UpRun;

before(async () => {
  up = new UpRun(example.folder);
  await up.event('ready');
});

after(async () => {
  await up.end('SIGTERM');
  example.remove();
});

test('the page shows details and reviews', async () => {
  const { status, text } = await up.get('/productpage');
  assert.equal(status, 200);
  for (const part of [
    'The Comedy of Errors',
    'William Shakespeare',
    'Reviewer1',
    '<form method="post" action="/login">',
  ])
    assert.ok(text.includes(part), `${part} is missing in ${text}`);
  assert.equal((await up.get('/elsewhere')).status, 404);
});

test('the start tells which requests to try', async () => {
  const { requests } = (await up.event('ready')) as unknown as {
    requests: { command: string; outcome: string }[];
  };
  assert.deepEqual(
    requests.map(({ command, outcome }) => [
      command.replace(/:\d+/, ':PORT'),
      outcome.replace(/:\d+/, ':LINE'),
    ]),
    [
      ['curl -s localhost:PORT/productpage', '95 % v1, 5 % v2'],
      ['curl -s localhost:PORT/productpage -b user=alice', 'HTTP 500 (fault, gateway.yaml:LINE)'],
      ['curl -s localhost:PORT/productpage -b user=bob', '2 s later (fault, gateway.yaml:LINE)'],
    ],
  );
});

test('what the README tells to try works', async () => {
  const commands = readFileSync(join(example.folder, 'README.md'), 'utf8').match(/^curl .*$/gm) ?? [];
  const statuses = await Promise.all(
    commands.map(async (command) => {
      const path = /localhost:8080(\S+)/.exec(command)?.[1] ?? '';
      const cookie = / -b (\S+)/.exec(command)?.[1];
      const form = / -d (\S+)/.exec(command)?.[1];
      const { status } = form ? await up.post(path, form) : await up.get(path, cookie ? { cookie } : {});
      return `${status} ${path}`;
    }),
  );
  assert.deepEqual(statuses, [
    '200 /productpage',
    '500 /productpage',
    '200 /productpage',
    '303 /login',
    '200 /api/v1/products/0/reviews',
    '200 /api/v1/products/0/outside',
  ]);
});

test('about 5 % of requests reach the second version', async () => {
  const total = 600;
  const pods = await servedBy(total);
  const second = pods.filter((pod) => pod === 'productpage-v2').length;
  // More than four standard deviations to either side.
  assert.ok(second >= 8 && second <= 54, `${second} of ${total}`);
  assert.equal(pods.filter((pod) => pod === 'productpage-v1').length, total - second);
});

test('alice gets the fault, by cookie and by header', async () => {
  const spellings: readonly Readonly<Record<string, string>>[] = [
    { cookie: 'user=alice' },
    { cookie: 'a=b; user=alice; c=d' },
    { 'end-user': 'alice' },
  ];
  for (const headers of spellings) {
    const { status, text } = await up.get('/productpage', headers);
    assert.deepEqual([status, text], [500, 'fault filter abort']);
  }
  assert.equal((await up.get('/productpage', { cookie: 'user=alicette' })).status, 200);
});

test('bob waits two seconds', async () => {
  const replies = await Promise.all([
    up.get('/productpage', { cookie: 'user=bob' }),
    up.get('/productpage', { 'end-user': 'bob' }),
  ]);
  for (const { status, ms } of replies) {
    assert.equal(status, 200);
    assert.ok(ms >= 1990 && ms < 4000, `${ms} ms`);
  }
});

test('signing in by form sets the cookie that the rules read', async () => {
  const login = await up.post('/login', 'username=alice');
  assert.deepEqual([login.status, login.headers.location], [303, '/productpage']);
  const cookie = login.headers['set-cookie']?.[0]?.split(';')[0] ?? '';
  assert.equal(cookie, 'user=alice');
  assert.equal((await up.get('/productpage', { cookie })).status, 500);
  const carol = await up.get('/productpage', { cookie: 'user=carol' });
  assert.ok(carol.text.includes('signed in as <b>carol</b>'));
  assert.match(String((await up.get('/logout', { cookie })).headers['set-cookie']), /user=;.*Max-Age=0/);
  assert.equal((await up.post('/login', 'name=x')).status, 400);
});

test('calls are mutual TLS with the identity of the caller', async () => {
  assert.equal(
    served(await up.get('/api/v1/products/0')).caller,
    identity('istio-system', 'istio-ingressgateway'),
  );
  assert.equal(
    served(await up.get('/api/v1/products/0/details')).caller,
    identity('default', 'bookinfo-productpage'),
  );
});

test('the second version of the reviews asks the edge build, the others do not', async () => {
  const seen = new Map<string, string>();
  for (let i = 0; i < 100 && seen.size < 3; i++) {
    const body = JSON.parse((await up.get('/api/v1/products/0/reviews')).text) as {
      servedBy: ServedBy;
      title: { servedBy: ServedBy };
    };
    seen.set(body.servedBy.version, body.title.servedBy.version === 'edge' ? 'edge' : 'v1 or v2');
    assert.equal(body.title.servedBy.caller, identity('default', 'bookinfo-reviews'));
  }
  assert.deepEqual(Object.fromEntries([...seen].sort()), { v1: 'v1 or v2', v2: 'edge', v3: 'v1 or v2' });
});

test('a call to the outside is cut off after half a second', async () => {
  const slow = createServer((_, response) => setTimeout(() => response.end('late'), 5000).unref());
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve));
  const { port } = slow.address() as AddressInfo;
  example.edit('egress.yaml', (text) =>
    text.replace(
      'resolution: DNS',
      `resolution: STATIC\n  endpoints: [{address: 127.0.0.1, ports: {http: ${port}}}]`,
    ),
  );
  await up.event('changed', (event) => JSON.stringify(event['changes']).includes('ServiceEntry bar-foo'));
  const { status, ms } = JSON.parse((await up.get('/api/v1/products/0/outside')).text) as {
    status: number;
    ms: number;
  };
  slow.closeAllConnections();
  slow.close();
  assert.equal(status, 504);
  assert.ok(ms >= 490 && ms < 1500, `${ms} ms`);
});

test('an edit takes effect without a failed request', async () => {
  const statuses = new Set<number>();
  let going = true;
  const load = (async () => {
    while (going) statuses.add((await up.get('/api/v1/products')).status);
  })();
  example.edit('gateway.yaml', (text) =>
    text.replace('weight: 95', 'weight: 0').replace('weight: 5', 'weight: 100'),
  );
  const changed = await up.event('changed', (event) =>
    JSON.stringify(event['changes']).includes('VirtualService bookinfo'),
  );
  going = false;
  await load;
  assert.deepEqual([...statuses], [200]);
  assert.deepEqual(changed['changes'], [{ file: 'gateway.yaml', text: 'VirtualService bookinfo changed' }]);
  assert.deepEqual([changed['sentTo'], changed['accepted'], changed['refusals']], [1, 1, []]);
  assert.deepEqual([...new Set(await servedBy(20))], ['productpage-v2']);
});

for (const { name, change, line, message } of [
  {
    name: 'a value',
    change: (text: string) => text.replace('httpStatus: 500', 'httpStatus: 5000'),
    line: 'httpStatus: 5000',
    message: /5000/,
  },
  {
    name: 'a subset that nobody declares',
    change: (text: string) => text.replaceAll('subset: v2', 'subset: v9'),
    line: 'subset: v9',
    message: /v9/,
  },
  {
    name: 'the syntax',
    change: (text: string) => text.replace('hosts: ["*"]', 'hosts: ["*"'),
    line: 'hosts: ["*"',
    message: /./,
  },
]) {
  test(`an edit that breaks ${name} is reported with its place, and the last good version serves on`, async () => {
    const from = up.events.length;
    let good = '';
    let bad = '';
    example.edit('gateway.yaml', (text) => {
      good = text;
      bad = change(text);
      return bad;
    });
    const finding = await up.event('finding', (event) => event['severity'] === 'error', from);
    const origin = finding['origin'] as { file: string; line: number; path: string };
    assert.ok(origin.file.endsWith('gateway.yaml'));
    const wanted = bad.split('\n').findIndex((text) => text.includes(line)) + 1;
    // A syntax error may be noticed a little later than it begins.
    assert.ok(
      name === 'the syntax' ? origin.line >= wanted && origin.line <= wanted + 2 : origin.line === wanted,
      JSON.stringify(origin),
    );
    assert.match(String(finding['message']), message);
    assert.deepEqual([...new Set(await servedBy(10))], ['productpage-v2']);
    assert.equal((await up.get('/productpage', { 'end-user': 'alice' })).status, 500);
    const repaired = up.events.length;
    example.edit('gateway.yaml', () => good);
    await up.event('notice', (event) => event['message'] === 'all findings are solved', repaired);
  });
}

test('a workload that ends is started again, and goes out of service meanwhile', async () => {
  const details = (await up.pods()).find(({ name }) => name === 'details-v1');
  assert.ok(details && isAlive(details.pid));
  process.kill(details.pid, 'SIGKILL');
  const notice = await up.event('notice', (event) => event['workload'] === 'details-v1');
  assert.match(String(notice['message']), /details-v1 was ended by SIGKILL/);
  assert.equal((await up.get('/api/v1/products/0/details')).status, 503);
  await until(async () => (await up.get('/api/v1/products/0/details')).status === 200);
});

test('a Process that is added starts, one that is taken away stops', async () => {
  example.edit('workloads.yaml', (text) =>
    text.replace(
      '  serviceAccount: bookinfo-ratings\n',
      '  serviceAccount: bookinfo-ratings\n  replicas: 2\n',
    ),
  );
  const seen = new Set<string>();
  await until(
    async () =>
      seen.add(served(await up.get('/api/v1/products/0/ratings')).pod ?? '').has('ratings-v1-0') &&
      seen.has('ratings-v1-1'),
  );
  example.edit('workloads.yaml', (text) => text.replace('replicas: 2', 'replicas: 1'));
  await until(async () => served(await up.get('/api/v1/products/0/ratings')).pod === 'ratings-v1');
});

async function servedBy(count: number): Promise<readonly string[]> {
  const pods: string[] = [];
  const worker = async (): Promise<void> => {
    while (pods.length < count) {
      const { status, headers } = await up.get('/api/v1/products');
      assert.equal(status, 200);
      pods.push(String(headers['x-served-by']));
    }
  };
  await Promise.all([worker(), worker(), worker(), worker()]);
  return pods.slice(0, count);
}

function served(reply: Reply): Partial<ServedBy> {
  const body = JSON.parse(reply.text) as { servedBy?: ServedBy };
  return body.servedBy ?? {};
}

/** Asks again and again: each answer is an event of its own. */
async function until(holds: () => Promise<boolean>): Promise<void> {
  const patience = AbortSignal.timeout(15_000);
  while (!(await holds())) patience.throwIfAborted();
}
