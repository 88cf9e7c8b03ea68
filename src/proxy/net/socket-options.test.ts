import assert from 'node:assert/strict';
import diagnostics from 'node:diagnostics_channel';
import { once } from 'node:events';
import net from 'node:net';
import { describe, test } from 'node:test';
import { cluster, freePort, httpFilter, listener, portOf, startFake, talk } from '../fake-bootstrap.ts';
import type { SocketOptionsPlan } from '../plan/socket-options-plan.ts';
import {
  descriptorOf,
  numbers,
  readNumber,
  type SocketCalls,
  setOnConnect,
  setOnServer,
  socketCalls,
} from './socket-options.ts';

const { socket: base, tcp } = numbers;
const onLinux = process.platform === 'linux' ? false : 'Linux only';

interface Found {
  readonly on: boolean;
  readonly time: number;
  readonly interval: number;
  readonly probes: number;
  readonly userTimeout: number;
}

function library(): SocketCalls {
  const calls = socketCalls();
  assert.notEqual(calls, 'unavailable');
  return calls as SocketCalls;
}

function found(fd: number): Found {
  const read = (level: number, name: number): number => readNumber(library(), fd, level, name) ?? -1;
  return {
    on: read(base.level, base.keepAlive) === 1,
    time: read(tcp.level, tcp.keepIdle),
    interval: read(tcp.level, tcp.keepInterval),
    probes: read(tcp.level, tcp.keepCount),
    userTimeout: read(tcp.level, tcp.userTimeout),
  };
}

async function connected(options: SocketOptionsPlan, localAddress?: string): Promise<Found> {
  const server = net.createServer();
  const port = await portOf(server);
  const socket = net.connect({
    port,
    host: '127.0.0.1',
    ...(localAddress === undefined ? {} : { localAddress }),
  });
  setOnConnect(socket, options);
  await once(socket, 'connect');
  const result = found(descriptorOf(socket));
  socket.destroy();
  server.close();
  return result;
}

const keep = (probes?: number, time?: number, interval?: number): SocketOptionsPlan => ({
  keepAlive: { probes, time, interval },
  byNumber: [],
});

describe('keep-alive as the kernel has it', { skip: onLinux }, () => {
  test('all three numbers, and data in flight for as long', async () => {
    for (const localAddress of [undefined, '127.0.0.1'])
      assert.deepEqual(await connected(keep(3, 20, 7), localAddress), {
        on: true,
        time: 20,
        interval: 7,
        probes: 3,
        userTimeout: 41_000,
      });
  });

  test("what is left out is the system's", async () => {
    const system = await connected({ keepAlive: undefined, byNumber: [] });
    assert.equal(system.on, false);
    assert.deepEqual(await connected(keep(2, undefined, 5)), {
      ...(await connected(keep())),
      probes: 2,
      interval: 5,
    });
    const some = await connected(keep(undefined, 10, 1));
    assert.deepEqual(some, {
      ...system,
      on: true,
      time: 10,
      interval: 1,
      userTimeout: (10 + system.probes) * 1000,
    });
  });

  test('hours of keep-alive do not make data in flight wait longer than the kernel would', async () => {
    assert.equal((await connected(keep(9, 7200, 75))).userTimeout, 0);
  });

  test('a zero switches it off', async () => {
    for (const off of [keep(0, 5, 5), keep(5, 0, 5), keep(5, 5, 0)])
      assert.equal((await connected(off)).on, false);
  });

  test('options by number come last', async () => {
    const value = Buffer.from([0x10, 0x27, 0, 0]);
    const options: SocketOptionsPlan = {
      ...keep(3, 20, 7),
      byNumber: [{ level: tcp.level, name: tcp.userTimeout, value }],
    };
    assert.equal((await connected(options)).userTimeout, 10_000);
  });

  test('accepted connections have those of their listener', async () => {
    const server = net.createServer();
    const port = await portOf(server);
    setOnServer(server, keep(3, 20, 7));
    const client = net.connect(port, '127.0.0.1');
    const [accepted] = (await once(server, 'connection')) as [net.Socket];
    assert.deepEqual(found(descriptorOf(accepted)), {
      on: true,
      time: 20,
      interval: 7,
      probes: 3,
      userTimeout: 41_000,
    });
    client.destroy();
    accepted.destroy();
    server.close();
  });
});

test("without the library the time alone is in force, by Node's own means", () => {
  const calls: unknown[][] = [];
  const socket = {
    setKeepAlive: (...args: unknown[]) => calls.push(args),
    on: () => assert.fail(),
  } as unknown as net.Socket;
  for (const options of [keep(3, 20, 7), keep(), keep(0)]) setOnConnect(socket, options, 'unavailable');
  assert.deepEqual(calls, [
    [true, 20_000],
    [true, 7_200_000],
  ]);
});

test('both sides of a proxy', { skip: onLinux }, async () => {
  const upstream = net.createServer((socket) =>
    socket.on('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n')),
  );
  const [port, up] = [await freePort(), await portOf(upstream)];
  const proxy = await startFake({
    listeners: [
      listener(port, [httpFilter([{ match: { prefix: '/' }, route: { cluster: 'up' } }])], {
        socket_options: [
          { level: tcp.level, name: tcp.userTimeout, int_value: 12_000, state: 'STATE_LISTENING' },
        ],
      }),
    ],
    clusters: [
      cluster('up', [up], {
        upstream_connection_options: {
          tcp_keepalive: { keepalive_probes: 3, keepalive_time: 20, keepalive_interval: 7 },
        },
        upstream_bind_config: { socket_options: [{ level: base.level, name: base.keepAlive, int_value: 0 }] },
      }),
    ],
  });
  await proxy.ready;
  const seen: { client?: Found; server?: Found } = {};
  const dialled = (message: unknown): void => {
    const { socket } = message as { socket: net.Socket };
    socket.once('connect', () => {
      if (socket.remotePort === up) seen.client = found(descriptorOf(socket));
    });
  };
  const accepted = (message: unknown): void => {
    const { socket } = message as { socket: net.Socket };
    if (socket.localPort === port) seen.server = found(descriptorOf(socket));
  };
  diagnostics.subscribe('net.client.socket', dialled);
  diagnostics.subscribe('net.server.socket', accepted);
  await talk(port, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
  diagnostics.unsubscribe('net.client.socket', dialled);
  diagnostics.unsubscribe('net.server.socket', accepted);
  await proxy.stop();
  upstream.close();
  assert.deepEqual(seen.client, { on: false, time: 20, interval: 7, probes: 3, userTimeout: 41_000 });
  assert.equal(seen.server?.userTimeout, 12_000);
});
