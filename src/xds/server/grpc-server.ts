// A gRPC server of a list of services. What goes wrong inside one is told to us, never to its client as the
// client's own mistake.
import {
  type handleBidiStreamingCall,
  type handleUnaryCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
  type UntypedHandleCall,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { guardServerSessions } from '../h2-session-guard.ts';
import type { GrpcService, Method, StreamHandler, StreamMethod, UnaryMethod } from './grpc-service.ts';

export interface GrpcServer {
  /** `host:port` or `unix:path` that it listens on. */
  readonly address: string;
  close(): Promise<void>;
}

export interface GrpcServerOptions {
  /** `host:port` or `unix:path`; port 0 takes a free one. */
  readonly address: string;
  readonly credentials?: ServerCredentials;
  readonly services: readonly GrpcService[];
  /** A mistake of ours, outside of a stream that has a handler of its own for that. */
  failed(error: unknown): void;
}

type Failed = GrpcServerOptions['failed'];

const serverOptions = {
  'grpc.max_send_message_length': -1,
  // A client that comes back names every version that it has: some megabytes in a large mesh.
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // Finds clients that went without a word.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

export async function startGrpcServer(options: GrpcServerOptions): Promise<GrpcServer> {
  const { address, credentials = ServerCredentials.createInsecure(), services, failed } = options;
  const server = new Server(serverOptions);
  for (const service of services) server.addService(definitionOf(service), handlersOf(service, failed));
  const port = await bind(server, address, credentials);
  const unguard = guardServerSessions();
  return {
    address: address.startsWith('unix:') ? address : `${address.slice(0, address.lastIndexOf(':'))}:${port}`,
    close: async () => {
      server.forceShutdown();
      unguard();
    },
  };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) =>
    server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port))),
  );
}

const asBytes = (message: Buffer): Buffer => message;

function definitionOf({ name, methods }: GrpcService): ServiceDefinition {
  const definition = (method: string, { kind }: Method): MethodDefinition<Buffer, Buffer> => ({
    path: `/${name}/${method}`,
    requestStream: kind === 'stream',
    responseStream: kind === 'stream',
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  });
  return Object.fromEntries(
    Object.entries(methods).map(([method, served]) => [method, definition(method, served)]),
  );
}

function handlersOf({ methods }: GrpcService, failed: Failed): UntypedServiceImplementation {
  return Object.fromEntries(
    Object.entries(methods).map(([method, served]) => [method, handlerOf(served, failed)]),
  );
}

function handlerOf(method: Method, failed: Failed): UntypedHandleCall {
  return method.kind === 'stream' ? streamHandler(method, failed) : unaryHandler(method, failed);
}

const failure = {
  code: status.INTERNAL,
  details: 'the control plane failed over this request; its own log says how',
};

function unaryHandler(method: UnaryMethod, failed: Failed): handleUnaryCall<Buffer, Buffer> {
  return async (call, callback) => {
    try {
      const answer = await method.answer(call.request, call.getPeer());
      if (answer.kind === 'message') callback(null, asBuffer(answer.bytes));
      else callback({ code: answer.code, details: answer.reason });
    } catch (error) {
      failed(error);
      callback(failure);
    }
  };
}

function streamHandler(method: StreamMethod, failed: Failed): handleBidiStreamingCall<Buffer, Buffer> {
  return (call) => {
    try {
      serve(call, method);
    } catch (error) {
      failed(error);
      call.emit('error', failure);
    }
  };
}

function serve(call: ServerDuplexStream<Buffer, Buffer>, method: StreamMethod): void {
  let isOpen = true;
  const handler = method.open({
    peer: call.getPeer(),
    write: (message, onWritten) => call.write(asBuffer(message), onWritten),
    end: (code, reason) => call.emit('error', { code, details: reason }),
  });
  const close = (): void => {
    if (!isOpen) return;
    isOpen = false;
    handler.closed();
  };
  call.on('data', (message: Buffer) => {
    if (isOpen) take(call, handler, message);
  });
  call.on('end', () => {
    close();
    call.end();
  });
  call.on('cancelled', close);
  call.on('error', close);
  call.on('close', close);
}

/** A message that cannot be served ends its stream, not the server. */
function take(call: ServerDuplexStream<Buffer, Buffer>, handler: StreamHandler, message: Buffer): void {
  try {
    handler.message(message);
  } catch (error) {
    handler.failed(error);
    call.emit('error', failure);
  }
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
