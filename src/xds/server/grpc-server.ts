// The discovery services over gRPC. Messages stay bytes; sessions do the rest.
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
import { guardServerSessions } from '../h2-session-guard.ts';
import { CopyCollection } from './copy-collection.ts';
import { DeltaSession, DeltaSharing } from './delta/session.ts';
import { ResponseStream } from './response-stream.ts';
import { SendBudget } from './send-budget.ts';
import type { Session, SessionEvents } from './session.ts';
import { SotwSession, SotwSharing } from './sotw/session.ts';

/** One client's connection, as the control plane sees it. */
export interface Connection {
  readonly peer: string;
  /** Set once the client has said who it is. */
  readonly session: Session;
  /** Ends the stream with a status of gRPC and a reason for the client's log. */
  end(code: status, reason: string): void;
}

export interface ConnectionEvents extends Omit<SessionEvents, 'maySend' | 'send' | 'identify' | 'later'> {
  identify(node: Node, connection: Connection): ReturnType<SessionEvents['identify']>;
  closed(connection: Connection): void;
  /** A mistake of ours in handling a request. */
  failed(error: unknown): void;
}

export interface XdsServer {
  /** `host:port` or `unix:path` that it listens on. */
  readonly address: string;
  close(): Promise<void>;
}

export interface XdsServerOptions {
  /** `host:port` or `unix:path`; port 0 takes a free one. */
  readonly address: string;
  readonly credentials?: ServerCredentials;
  /** Called for each new stream. */
  open(): ConnectionEvents;
}

type OpenSession = (events: SessionEvents) => Session;

/** Within this time an Envoy asks for the endpoints of a new cluster, many times over. */
const patienceMs = 1000;

const maxBytesOnTheWay = 64 * 1024 * 1024;

const serverOptions = {
  'grpc.max_send_message_length': -1,
  // A client that comes back names every version that it has: some megabytes in a large mesh.
  'grpc.max_receive_message_length': 16 * 1024 * 1024,
  // Finds clients that went without a word.
  'grpc.keepalive_time_ms': 30_000,
  'grpc.keepalive_timeout_ms': 10_000,
};

const asBytes = (message: Buffer): Buffer => message;

function streamAt(path: string): MethodDefinition<Buffer, Buffer> {
  return {
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: asBytes,
    requestDeserialize: asBytes,
    responseSerialize: asBytes,
    responseDeserialize: asBytes,
  };
}

/**
 * Secrets come by a service of their own as well: its streams are the same, and their clients ask for one
 * type only.
 */
const discovery: ServiceDefinition = {
  StreamAggregatedResources: streamAt(
    '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
  ),
  DeltaAggregatedResources: streamAt(
    '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
  ),
  StreamSecrets: streamAt('/envoy.service.secret.v3.SecretDiscoveryService/StreamSecrets'),
  DeltaSecrets: streamAt('/envoy.service.secret.v3.SecretDiscoveryService/DeltaSecrets'),
};

export async function startXdsServer(options: XdsServerOptions): Promise<XdsServer> {
  const server = new Server(serverOptions);
  const sotwSharing = new SotwSharing();
  const deltaSharing = new DeltaSharing();
  const copies = new CopyCollection();
  const budget = new SendBudget({
    maxBytes: maxBytesOnTheWay,
    later: (run) => void setTimeout(run, patienceMs).unref(),
    onTake: (bytes) => copies.copied(bytes),
  });
  const serveWith = (openSession: OpenSession): handleBidiStreamingCall<Buffer, Buffer> => {
    return (call) => serve(call, options.open(), openSession, budget);
  };
  const sotw = serveWith((events) => new SotwSession(events, sotwSharing));
  const delta = serveWith((events) => new DeltaSession(events, deltaSharing));
  server.addService(discovery, {
    StreamAggregatedResources: sotw,
    DeltaAggregatedResources: delta,
    StreamSecrets: sotw,
    DeltaSecrets: delta,
  });
  const { address, credentials = ServerCredentials.createInsecure() } = options;
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

function serve(
  call: ServerDuplexStream<Buffer, Buffer>,
  events: ConnectionEvents,
  openSession: OpenSession,
  budget: SendBudget,
): void {
  let open = true;
  const output = new ResponseStream(call, budget, () => open && connection.session.flush());
  const connection: Connection = {
    peer: call.getPeer(),
    session: openSession({
      identify: (node) => events.identify(node, connection),
      maySend: () => output.maySend(),
      send: (message) => output.send(message),
      accepted: (type, version) => events.accepted(type, version),
      refused: (type, version, message, names) => events.refused(type, version, message, names),
      later: (run) => {
        const timer = setTimeout(run, patienceMs).unref();
        return () => clearTimeout(timer);
      },
    }),
    end: (code, reason) => call.emit('error', { code, details: reason }),
  };
  const close = (): void => {
    if (!open) return;
    open = false;
    connection.session.close();
    output.close();
    events.closed(connection);
  };
  call.on('data', (message: Buffer) => {
    if (open) take(connection, message, events);
  });
  call.on('end', () => {
    close();
    call.end();
  });
  call.on('cancelled', close);
  call.on('error', close);
  call.on('close', close);
}

const codes = {
  unreadable: status.INVALID_ARGUMENT,
  'no-node': status.FAILED_PRECONDITION,
  'too-large': status.RESOURCE_EXHAUSTED,
} as const;

/**
 * A request that cannot be served ends its stream, not the server. A mistake of ours is not told as the
 * client's.
 */
function take(connection: Connection, message: Buffer, events: ConnectionEvents): void {
  try {
    const rejection = connection.session.request(message);
    if (rejection) connection.end(codes[rejection.kind], rejection.reason);
  } catch (error) {
    events.failed(error);
    connection.end(status.INTERNAL, 'the control plane failed over this request; its own log says how');
  }
}
