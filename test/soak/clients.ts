// The clients of the soak, one visit each: polite ones, and ones that go at every stage.
import { request } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2 } from 'node:http2';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';

export interface Place {
  readonly port: number;
  readonly tlsPort: number;
}

export interface Visit {
  readonly name: string;
  /** Resolves when the client is gone. */
  readonly visit: (place: Place, random: () => number) => Promise<void>;
}

const hosts = ['one.example.com', 'two.example.com'];
const paths = ['/', '/slow', '/large'];
const pick = <T>(list: readonly T[], random: () => number): T =>
  list[Math.floor(random() * list.length)] as T;

export const visits: readonly Visit[] = [
  {
    name: 'HTTP/1.1, polite',
    visit: ({ port }, random) =>
      new Promise((done) => {
        const out = request(
          {
            port,
            host: '127.0.0.1',
            path: pick(paths, random),
            headers: { host: pick(hosts, random) },
            agent: false,
          },
          (answer) => {
            answer.on('error', () => {});
            answer.on('close', done);
            answer.resume();
          },
        );
        out.on('error', () => done());
        out.end();
      }),
  },
  {
    name: 'HTTP/1.1, a post that is broken off',
    visit: async ({ port }, random) => {
      const socket = open(port);
      socket.write(
        `POST /slow HTTP/1.1\r\nHost: ${pick(hosts, random)}\r\nContent-Length: 100000\r\n\r\n${'x'.repeat(random() * 1000)}`,
      );
      await pause(random() * 60);
      socket.resetAndDestroy();
    },
  },
  {
    name: 'HTTP/1.1, gone while it is answered',
    visit: async ({ port }, random) => {
      const socket = open(port);
      socket.write(`GET ${pick(paths, random)} HTTP/1.1\r\nHost: ${pick(hosts, random)}\r\n\r\n`);
      await pause(random() * 120);
      socket.destroy();
    },
  },
  {
    name: 'HTTP/1.1, half a head',
    visit: async ({ port }, random) => {
      const socket = open(port);
      socket.write('GET / HTTP/1.1\r\nHost: one');
      await pause(random() * 100);
      socket.destroy();
    },
  },
  {
    name: 'WebSocket, broken off',
    visit: async ({ port }, random) => {
      const socket = open(port);
      socket.write(
        'GET /ws HTTP/1.1\r\nHost: one.example.com\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
      );
      await pause(40);
      socket.write('x'.repeat(1000));
      await pause(random() * 60);
      socket.destroy();
    },
  },
  {
    name: 'HTTP/2, polite',
    visit: ({ port }, random) =>
      http2Visit(
        () => connectHttp2(`http://127.0.0.1:${port}`),
        random,
        (session) => session.close(),
      ),
  },
  {
    name: 'HTTP/2, closed without GOAWAY',
    visit: ({ port }, random) => {
      const socket = open(port);
      return http2Visit(
        () => connectHttp2('http://one.example.com', { createConnection: () => socket }),
        random,
        () => socket.destroy(),
        60,
      );
    },
  },
  {
    name: 'TLS, polite',
    visit: ({ tlsPort }, random) =>
      http2Visit(
        () =>
          connectHttp2(`https://127.0.0.1:${tlsPort}`, {
            rejectUnauthorized: false,
            servername: 'one.example.com',
          }),
        random,
        (session) => session.close(),
      ),
  },
  {
    name: 'TLS, gone in the handshake',
    visit: async ({ tlsPort }, random) => {
      const socket = open(tlsPort);
      const secure = connectTls({ socket, rejectUnauthorized: false, servername: 'one.example.com' });
      secure.on('error', () => {});
      await pause(random() * 4);
      socket.resetAndDestroy();
    },
  },
];

function open(port: number): ReturnType<typeof connect> {
  const socket = connect(port, '127.0.0.1');
  socket.on('error', () => {});
  return socket;
}

/** A few requests at once; with `brokenAfterMs` the client goes before they are answered. */
async function http2Visit(
  begin: () => ClientHttp2Session,
  random: () => number,
  end: (session: ClientHttp2Session) => void,
  brokenAfterMs?: number,
): Promise<void> {
  const session = begin();
  session.on('error', () => {});
  const closed = new Promise<void>((done) => session.once('close', done));
  const answered = Array.from(
    { length: 3 },
    () =>
      new Promise<void>((done) => {
        const stream = session.request({ ':path': pick(paths, random), ':authority': pick(hosts, random) });
        stream.on('error', () => {});
        stream.on('close', done);
        stream.resume();
        if (random() < 0.2) setTimeout(() => stream.close(8), random() * 50);
      }),
  );
  await Promise.race([
    Promise.all(answered),
    closed,
    ...(brokenAfterMs === undefined ? [] : [pause(random() * brokenAfterMs)]),
  ]);
  end(session);
  await Promise.race([closed, pause(2000)]);
  session.destroy();
}
