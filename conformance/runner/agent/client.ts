// The application of a case: sends its requests, each over a connection of its own, and tells what came back.
import http from 'node:http';
import http2 from 'node:http2';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import tls from 'node:tls';
import type { Answer } from '../outcome.ts';
import type { Burst, ClientRequest } from './calls.ts';

type Done = (answer: Omit<Answer, 'ms'>) => void;

const bodyLimit = 500;
const tcpLimit = 200;

/** Answers are in the order in which they came. */
export async function sendBurst({ count, concurrency, gapMs, request }: Burst): Promise<readonly Answer[]> {
  const answers: Answer[] = [];
  let sent = 0;
  const lane = async (): Promise<void> => {
    while (sent < count) {
      sent++;
      if (gapMs > 0 && sent > 1) await pause(gapMs);
      answers.push(await send(request));
    }
  };
  await Promise.all(Array.from({ length: concurrency }, lane));
  return answers;
}

function send(request: ClientRequest): Promise<Answer> {
  return new Promise((resolve) => {
    const start = performance.now();
    const raw = connect({ host: request.ip, port: request.port });
    const done: Done = (answer) => {
      clearTimeout(timer);
      raw.destroy();
      resolve({ ...answer, ms: Math.round(performance.now() - start) });
    };
    const timer = setTimeout(() => done({ error: 'timeout' }), request.timeoutMs);
    raw.on('error', (error) => done({ error: codeOf(error) }));
    raw.on('connect', () => (request.tls ? encrypt(raw, request, done) : speak(raw, request, done)));
  });
}

function encrypt(raw: Socket, request: ClientRequest, done: Done): void {
  const { sni, alpn, key, cert } = request.tls ?? {};
  const socket = tls.connect({
    socket: raw,
    rejectUnauthorized: false,
    ...(sni === undefined ? {} : { servername: sni }),
    ...(alpn === undefined ? {} : { ALPNProtocols: [...alpn] }),
    ...(key === undefined ? {} : { key }),
    ...(cert === undefined ? {} : { cert }),
  });
  socket.on('error', (error) => done({ error: codeOf(error) }));
  socket.on('secureConnect', () =>
    socket.alpnProtocol === 'h2' ? speakHttp2(socket, request, done) : speak(socket, request, done),
  );
}

function speak(socket: Socket, request: ClientRequest, done: Done): void {
  if (request.tcp !== undefined) speakTcp(socket, request.tcp, done);
  else if (request.version === '2') speakHttp2(socket, request, done);
  else speakHttp1(socket, request, done);
}

function speakTcp(socket: Socket, text: string, done: Done): void {
  let got = '';
  socket.on('data', (bytes) => {
    got += bytes.toString('latin1');
  });
  socket.on('close', () => done(got === '' ? { error: 'closed' } : { tcp: got.slice(0, tcpLimit) }));
  if (text !== '') socket.write(text);
}

function speakHttp1(socket: Socket, { host, method, path, headers, body }: ClientRequest, done: Done): void {
  const sent = { host, connection: 'close', ...headers } as http.OutgoingHttpHeaders;
  const request = http.request({
    createConnection: () => socket,
    method,
    path,
    headers: sent,
    setHost: false,
  });
  request.on('response', (response) => {
    const text = collect(response);
    response.on('error', () => done({ error: 'body' }));
    response.on('end', () =>
      done({ status: response.statusCode ?? 0, headers: response.headers, body: text() }),
    );
  });
  request.on('upgrade', (response) =>
    done({ status: response.statusCode ?? 0, headers: response.headers, upgraded: true }),
  );
  request.on('error', (error) => done({ error: codeOf(error) }));
  // Two steps, so that a body is sent in chunks: its length is not known beforehand.
  if (body) request.write(body);
  request.end();
}

function speakHttp2(socket: Socket, { host, method, path, headers, body }: ClientRequest, done: Done): void {
  const session = http2.connect(`http://${host}`, { createConnection: () => socket });
  session.on('error', (error) => done({ error: codeOf(error) }));
  const sent = {
    ':method': method,
    ':path': path,
    ':authority': host,
    ...headers,
  } as http2.OutgoingHttpHeaders;
  const stream = session.request(sent);
  let head: Record<string, unknown> | undefined;
  let trailers: Record<string, unknown> | undefined;
  const text = collect(stream);
  stream.on('response', (fields) => {
    head = { ...fields };
  });
  stream.on('trailers', (fields) => {
    trailers = { ...fields };
  });
  stream.on('error', (error) => done({ error: codeOf(error) }));
  stream.on('close', () => {
    const status = head?.[':status'];
    session.close();
    done(
      typeof status === 'number'
        ? { status, headers: head ?? {}, body: text(), ...(trailers ? { trailers } : {}) }
        : { error: 'reset' },
    );
  });
  if (body) stream.write(body);
  stream.end();
}

function collect(stream: NodeJS.ReadableStream): () => string {
  let text = '';
  stream.on('data', (bytes: Buffer) => {
    text += bytes.toString('latin1');
  });
  return () => text.slice(0, bodyLimit);
}

function codeOf(error: Error & { code?: string }): string {
  return error.code ?? error.message;
}
