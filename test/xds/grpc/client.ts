// A gRPC client that the test drives: one JSON command a line in, one JSON answer a line out. client.py is
// the same in Python.
import { createInterface } from 'node:readline';
import { setTimeout } from 'node:timers/promises';
import { Client, credentials, Metadata, ServerCredentials } from '@grpc/grpc-js';
import { register, XdsServer, XdsServerCredentials } from '@grpc/grpc-js-xds';
import type { Ask, CallResult, Calls } from './client-process.ts';

register();

const asBytes = (bytes: Buffer): Buffer => bytes;
const clients = new Map<string, Client>();

createInterface({ input: process.stdin }).on('line', (line) => {
  const ask = JSON.parse(line) as Ask;
  void (ask.kind === 'calls' ? calls(ask) : serve(ask.port)).then((answer) =>
    process.stdout.write(`${JSON.stringify(answer)}\n`),
  );
});

async function calls(ask: Calls): Promise<readonly CallResult[]> {
  const { count, everyMs } = ask;
  if (everyMs !== undefined)
    return Promise.all(
      Array.from({ length: count }, async (_, i) => {
        await setTimeout(i * everyMs);
        return call(ask);
      }),
    );
  const results: CallResult[] = [];
  while (results.length < count) results.push(await call(ask));
  return results;
}

function call({ target, method, headers, timeoutMs }: Calls): Promise<CallResult> {
  const client = clients.get(target) ?? new Client(target, credentials.createInsecure());
  clients.set(target, client);
  const metadata = new Metadata();
  for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
  const start = performance.now();
  return new Promise((resolve) => {
    client.makeUnaryRequest(
      method,
      asBytes,
      asBytes,
      Buffer.alloc(0),
      metadata,
      { deadline: Date.now() + timeoutMs },
      (error, body) =>
        resolve({
          code: error?.code ?? 0,
          text: error?.details ?? body?.toString() ?? '',
          ms: performance.now() - start,
        }),
    );
  });
}

/** A server that listens once it has its configuration; it answers every call of one method. */
async function serve(port: number): Promise<{ readonly served: boolean }> {
  const server = new XdsServer();
  const definition = { path: '/shop.Shop/Get', requestStream: false, responseStream: false } as const;
  const coding = {
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  };
  server.addService(
    { Get: { ...definition, ...coding } },
    {
      Get: (_call: unknown, answer: (error: null, body: Buffer) => void) =>
        answer(null, Buffer.from('served')),
    },
  );
  await new Promise<void>((resolve, reject) => {
    server.bindAsync(
      `0.0.0.0:${port}`,
      new XdsServerCredentials(ServerCredentials.createInsecure()),
      (error) => (error ? reject(error) : resolve()),
    );
  });
  return { served: true };
}
