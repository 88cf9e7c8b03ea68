// The command around the mesh: ports that are taken, its end, and folders with which it cannot begin.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { ExampleCopy, isAlive, UpRun } from './up-run.ts';

const folders: string[] = [];
const runs: UpRun[] = [];
const examples: ExampleCopy[] = [];

after(async () => {
  await Promise.all(runs.map((run) => run.end('SIGTERM')));
  for (const example of examples) example.remove();
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

test('ports that are taken are replaced, and a signal ends everything', async () => {
  const taken = await Promise.all([occupied(), occupied()]);
  const [gateway = 0, xds = 0] = taken.map((server) => (server.address() as AddressInfo).port);
  const up = start('examples/bookinfo', ['--gateway-port', String(gateway), '--xds-port', String(xds)]);
  const ready = await up.event('ready');
  const notices = up.events.flatMap((event) => (event.event === 'notice' ? [String(event['message'])] : []));
  assert.ok(
    notices.some((message) => message.startsWith(`port ${gateway} is taken: the gateway listens on `)),
    String(notices),
  );
  assert.ok(
    notices.some((message) => message.startsWith(`port ${xds} is taken: the control plane listens on `)),
    String(notices),
  );
  assert.notEqual(new URL(await up.url()).port, String(gateway));
  assert.equal((await up.get('/productpage')).status, 200);
  assert.deepEqual([ready['services'], ready['workloads'], ready['gateways']], [4, 8, 1]);

  const pids = (await up.pods()).map(({ pid }) => pid);
  assert.equal(pids.filter(isAlive).length, 8);
  assert.equal(await up.end('SIGINT'), 0);
  assert.deepEqual(pids.filter(isAlive), []);
  for (const server of taken) server.close();
});

test('a person reads the start, an edit and a finding as lines of text', async () => {
  const example = exampleCopy();
  const up = start(example.folder, ['--gateway-port', '0', '--xds-port', '0'], 'text');
  const printed = await up.text(/watching .*\n/);
  assert.match(
    printed,
    /^\n {2}meltemi \d+\.\d+\.\d+ {3}.* {3}4 services, 8 workloads, 1 gateway {3}ready in \d+ ms\n\n {2}gateway {5}http:\/\/localhost:\d+\/productpage\n/,
  );
  example.edit('virtualservice.yaml', (text) => text.replace('timeout: 10s', 'timeout: 11s'));
  await up.text(
    /\d\d:\d\d:\d\d {2}virtualservice\.yaml {2}VirtualService productpage changed {4}(\d+) of \1 proxies, \d+ ms\n/,
  );
  example.edit('virtualservice.yaml', (text) => text.replace('timeout: 11s', 'timeout: never'));
  await up.text(
    /\/virtualservice\.yaml:35:\d+ +error +MT\d+ +.*timeout.*\n +VirtualService default\/productpage: the version before stays in force until this is right\n/,
  );
  assert.equal(await up.end('SIGINT'), 0);
});

test('a new port of a Gateway is served while the old one goes on', async () => {
  const example = exampleCopy();
  const up = start(example.folder);
  await up.event('ready');
  example.edit('gateway.yaml', (text) =>
    text.replace(
      '    hosts: ["*"]\n',
      '    hosts: ["*"]\n  - port: {number: 29900, name: http-more, protocol: HTTP}\n    hosts: ["*"]\n',
    ),
  );
  const changed = await up.event('changed');
  // The sidecars see the gateway's Service grow.
  assert.deepEqual([changed['sentTo'], changed['accepted']], [9, 9]);
  const more = up.events.flatMap((event) =>
    event.event === 'notice' ? [/listens on (\d+)/.exec(String(event['message']))?.[1] ?? ''] : [],
  );
  const reply = await fetch(`http://127.0.0.1:${more[0] ?? 29900}/api/v1/products`);
  assert.equal(reply.status, 200);
  assert.equal((await up.get('/api/v1/products')).status, 200);
  assert.equal(await up.end('SIGTERM'), 0);
});

test('what a killed run had started ends without it', async () => {
  const up = start('examples/bookinfo');
  const pids = (await up.pods()).map(({ pid }) => pid);
  await up.end('SIGKILL');
  for (const pid of pids) await gone(pid);
  assert.deepEqual(pids.filter(isAlive), []);
});

test('a change of replicas says what was started and stopped, and when it serves', async () => {
  const example = exampleCopy();
  const up = start(example.folder);
  await up.event('ready');
  example.edit('workloads.yaml', (text) =>
    text.replace('  name: ratings-v1\nspec:\n', '  name: ratings-v1\nspec:\n  replicas: 3\n'),
  );
  const changed = await up.event('changed');
  assert.deepEqual(changed['started'], ['ratings-v1-0', 'ratings-v1-1', 'ratings-v1-2']);
  assert.deepEqual(changed['stopped'], ['ratings-v1']);
  for (const workload of changed['started'] as string[]) {
    const serves = await up.event('serves', (event) => event['workload'] === workload);
    assert.ok(
      Number(serves['sentTo']) > 0 && serves['accepted'] === serves['sentTo'],
      JSON.stringify(serves),
    );
  }
  assert.equal(await up.end('SIGINT'), 0);
});

test('a new VirtualService that names an undeclared subset is said to wait, and does', async () => {
  const example = exampleCopy();
  const up = start(example.folder);
  await up.event('ready');
  example.add(
    'more.yaml',
    'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: details}\nspec: {hosts: [details], http: [{route: [{destination: {host: details, subset: v9}}]}]}\n',
  );
  const standing = await up.event('standing');
  assert.deepEqual(standing['standing'], [
    'VirtualService default/details: is not in force until this is right',
  ]);
  const changed = await up.event('changed');
  assert.match(
    JSON.stringify(changed['changes']),
    /VirtualService details added, and waits: it is not in force/,
  );
  assert.match((await up.get('/productpage')).text, /details/i);
  assert.equal(await up.end('SIGINT'), 0);
});

for (const { name, files, message } of [
  { name: 'an empty folder', files: {}, message: /holds no resources: add a YAML file with a Process/ },
  {
    name: 'a folder without Process',
    files: { 'a.yaml': 'apiVersion: v1\nkind: Service\nmetadata: {name: a}\nspec: {ports: [{port: 80}]}\n' },
    message: /holds 1 resource but no Process/,
  },
]) {
  test(`${name} is refused with what to do`, async () => {
    const up = start(folderWith(files));
    assert.equal(await up.end(), 2);
    assert.match(up.stderr, message);
  });
}

test('a folder that is not there is refused with what to do', async () => {
  const up = start(join(folderWith({}), 'nowhere'));
  assert.equal(await up.end(), 2);
  assert.match(up.stderr, /there is no folder .*nowhere; `meltemi up examples\/bookinfo`/);
});

test('a command that fails is shown with its last lines, its place and what comes next', async () => {
  const crash = processDocument('crash', `[node, -e, "console.error('no database'); process.exit(3)"]`);
  const missing = processDocument('missing', '[no-such-program]');
  const up = start(folderWith({ 'a.yaml': [crash, missing].join('---\n') }));
  const crashed = await up.event('notice', (event) => event['workload'] === 'crash');
  assert.equal(crashed['message'], 'crash ended with code 3');
  assert.deepEqual((crashed['details'] as string[])[0], '| no database');
  assert.match(
    (crashed['details'] as string[])[1] ?? '',
    /^starting it again in 0\.5 s; its command is in a\.yaml:1: node -e /,
  );
  const absent = await up.event('notice', (event) => event['workload'] === 'missing');
  assert.equal(absent['message'], 'missing cannot be started: "no-such-program" was not found');
  assert.equal(await up.end('SIGTERM'), 0);
});

function start(...settings: ConstructorParameters<typeof UpRun>): UpRun {
  const run = new UpRun(...settings);
  runs.push(run);
  return run;
}

function exampleCopy(): ExampleCopy {
  const example = new ExampleCopy();
  examples.push(example);
  return example;
}

function folderWith(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'meltemi-up-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  return folder;
}

function processDocument(name: string, command: string): string {
  return `apiVersion: meltemi.dev/v1\nkind: Process\nmetadata: {name: ${name}}\nspec: {command: ${command}, ports: [{port: 80}]}\n`;
}

function occupied(): Promise<Server> {
  return new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => resolve(server));
  });
}

/** Nothing tells when a process ends that is not our child. */
async function gone(pid: number): Promise<void> {
  for (let i = 0; i < 100 && isAlive(pid); i++) await pause(100);
}
