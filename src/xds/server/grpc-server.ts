// The aggregated discovery service over gRPC. Messages stay bytes; sessions do the rest.
import {
  type handleBidiStreamingCall,
  type MethodDefinition,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
  status,
} from '@grpc/grpc-js';
import type { Node } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { ResponseBuilder } from './sotw/response.ts';
import { type SessionEvents, SotwSession } from './sotw/session.ts';

type Stream = ServerDuplexStream<Buffer, Buffer>;

/** One client's connection, as the control plane sees it. */
export interface Connection {
  readonly peer: string;
  /** Set once the client has said who it is. */
  readonly session: SotwSession;
  /** Ends the stream with a reason for the client's log. */
  end(reason: string): void;
}

export interface ConnectionEvents extends Omit<SessionEvents, 'send' | 'identify'> {
  identify(node: Node, connection: Connection): ReturnType<SessionEvents['identify']>;
  closed(connection: Connection): void;
}

export interface XdsServer {
  /** `host:port` that it listens on. */
  readonly address: string;
  close(): Promise<void>;
}

export interface XdsServerOptions {
  /** `host:port`; port 0 takes a free one. */
  readonly address: string;
  readonly credentials?: ServerCredentials;
  /** Called for each new stream. */
  open(): ConnectionEvents;
}

const bytes = (message: Buffer): Buffer => message;

function streamAt(path: string): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

/** The same streams serve whoever asks for one type only: secrets come by a service of their own. */
const discovery: ServiceDefinition = {
  StreamAggregatedResources: streamAt('/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources'),
  StreamSecrets: streamAt('/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets'),
};

export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const server = new Server({ 'grpc.max_send_message_length': -1, 'grpc.max_receive_message_length': 64 * 1024 * 1024 });
  const responses = new ResponseBuilder();
  const stream: handleBidiStreamingCall<Buffer, Buffer> = (call) => serve(call, options.open(), responses);
  server.addService(discovery, { StreamAggregatedResources: stream, StreamSecrets: stream });
  const port = await bind(server, options.address, options.credentials ?? ServerCredentials.createInsecure());
  const host = options.address.slice(0, options.address.lastIndexOf(':'));
  return {
    address: `${host}:${port}`,
    close: async () => server.forceShutdown(),
  };
}

function bind(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => server.bindAsync(address, credentials, (error, port) => (error ? reject(error) : resolve(port))));
}

function serve(call: Stream, events: ConnectionEvents, responses: ResponseBuilder): void {
  const connection: Connection = {
    peer: call.getPeer(),
    session: sessionOf(),
    end: (reason) => call.emit('error', { code: status.FAILED_PRECONDITION, details: reason }),
  };
  function sessionOf(): SotwSession {
    return new SotwSession(
      {
        identify: (node) => events.identify(node, connection),
        send: (message) => call.write(Buffer.from(message.buffer, message.byteOffset, message.byteLength)),
        accepted: (type, version) => events.accepted(type, version),
        refused: (type, version, message) => events.refused(type, version, message),
      },
      responses,
    );
  }
  let open = true;
  const close = (): void => {
    if (!open) return;
    open = false;
    connection.session.close();
    events.closed(connection);
  };
  call.on('data', (message: Buffer) => {
    if (open && !accepts(connection, message))
      connection.end('the first request must carry a node whose id is TYPE~IP~NAME.NAMESPACE~DOMAIN');
  });
  call.on('drain', () => open && connection.session.drained());
  call.on('end', () => {
    close();
    call.end();
  });
  call.on('cancelled', close);
  call.on('error', close);
  call.on('close', close);
}

/** Bytes that are no request end the stream, not the server. */
function accepts(connection: Connection, message: Buffer): boolean {
  try {
    return connection.session.request(message);
  } catch {
    return false;
  }
}
