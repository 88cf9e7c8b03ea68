// An ordinary gRPC server, which answers with its name and has a method for each thing that a client can be
// made to do.
import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData, status } from '@grpc/grpc-js';

type Handler = (call: ServerUnaryCall<Buffer, Buffer>, answer: sendUnaryData<Buffer>) => void;

const asBytes = (bytes: Buffer): Buffer => bytes;
const longMs = 5000;
const holdMs = 300;

export class Backend {
  readonly #server = new Server();
  readonly port: number;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
  }

  static async start(name: string): Promise<Backend> {
    const server = new Server();
    const body = Buffer.from(name);
    const handlers: Record<string, Handler> = {
      Get: (_call, answer) => answer(null, body),
      Slow: (_call, answer) => answer(null, body),
      Broken: (_call, answer) => answer(null, body),
      /** Fails every first try. */
      Flaky: ({ metadata }, answer) => {
        if (metadata.get('grpc-previous-rpc-attempts').length > 0) answer(null, body);
        else answer({ code: status.UNAVAILABLE, details: 'try again' });
      },
      Late: (_call, answer) => void setTimeout(() => answer(null, body), longMs).unref(),
      Hold: (_call, answer) => void setTimeout(() => answer(null, body), holdMs),
    };
    const coding = {
      requestSerialize: asBytes,
      requestDeserialize: asBytes,
      responseSerialize: asBytes,
      responseDeserialize: asBytes,
    };
    const definition = Object.keys(handlers).map((method) => [
      method,
      { path: `/shop.Shop/${method}`, requestStream: false, responseStream: false, ...coding },
    ]);
    server.addService(Object.fromEntries(definition), handlers);
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) =>
        error ? reject(error) : resolve(bound),
      );
    });
    return new Backend(server, port);
  }

  stop(): void {
    this.#server.forceShutdown();
  }
}
