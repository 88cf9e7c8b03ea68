// Streams of discovery, each with a session of its protocol. What sessions may share, all streams of a server
// share.
import { status } from '@grpc/grpc-js';
import type { Node } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import { CopyCollection } from './copy-collection.ts';
import { DeltaSession, DeltaSharing } from './delta/session.ts';
import type { ServerStream, StreamHandler, StreamMethod } from './grpc-service.ts';
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

/** Called for each new stream. */
export type OpenConnection = () => ConnectionEvents;

type OpenSession = (events: SessionEvents) => Session;

/** Within this time an Envoy asks for the endpoints of a new cluster, many times over. */
const patienceMs = 1000;
const maxBytesOnTheWay = 64 * 1024 * 1024;

export class DiscoveryStreams {
  readonly sotw: StreamMethod;
  readonly delta: StreamMethod;
  readonly #open: OpenConnection;
  readonly #copies = new CopyCollection();
  readonly #budget = new SendBudget({
    maxBytes: maxBytesOnTheWay,
    later: (run) => void setTimeout(run, patienceMs).unref(),
    onTake: (bytes) => this.#copies.copied(bytes),
  });

  constructor(open: OpenConnection) {
    this.#open = open;
    const sotw = new SotwSharing();
    const delta = new DeltaSharing();
    this.sotw = this.#method((events) => new SotwSession(events, sotw));
    this.delta = this.#method((events) => new DeltaSession(events, delta));
  }

  #method(openSession: OpenSession): StreamMethod {
    return { kind: 'stream', open: (stream) => serve(stream, this.#open(), openSession, this.#budget) };
  }
}

function serve(
  stream: ServerStream,
  events: ConnectionEvents,
  openSession: OpenSession,
  budget: SendBudget,
): StreamHandler {
  let isOpen = true;
  const output = new ResponseStream(stream, budget, () => isOpen && connection.session.flush());
  const connection: Connection = {
    peer: stream.peer,
    session: openSession({
      identify: (node) => events.identify(node, connection),
      maySend: () => output.maySend(),
      send: (message) => output.send(message),
      acknowledged: (type, resources) => events.acknowledged(type, resources),
      refused: (type, resources, reason) => events.refused(type, resources, reason),
      later: (run) => {
        const timer = setTimeout(run, patienceMs).unref();
        return () => clearTimeout(timer);
      },
    }),
    end: (code, reason) => stream.end(code, reason),
  };
  return {
    message: (bytes) => {
      const rejection = connection.session.request(bytes);
      if (rejection) stream.end(codes[rejection.kind], rejection.reason);
    },
    closed: () => {
      isOpen = false;
      connection.session.close();
      output.close();
      events.closed(connection);
    },
    failed: (error) => events.failed(error),
  };
}

const codes = {
  unreadable: status.INVALID_ARGUMENT,
  'no-node': status.FAILED_PRECONDITION,
  'too-large': status.RESOURCE_EXHAUSTED,
} as const;
