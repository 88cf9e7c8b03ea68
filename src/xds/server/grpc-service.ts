// The shape of a service that the gRPC server offers. Messages are bytes: who reads them knows their schema.
import type { status } from '@grpc/grpc-js';

export interface GrpcService {
  /** With its package: `envoy.service.discovery.v3.AggregatedDiscoveryService`. */
  readonly name: string;
  readonly methods: Readonly<Record<string, Method>>;
}

export type Method = StreamMethod | UnaryMethod;

/** Messages both ways until one side ends it. */
export interface StreamMethod {
  readonly kind: 'stream';
  open(stream: ServerStream): StreamHandler;
}

/** One request, one answer. */
export interface UnaryMethod {
  readonly kind: 'unary';
  answer(request: Uint8Array, peer: string): Promise<UnaryAnswer>;
}

export type UnaryAnswer =
  | { readonly kind: 'message'; readonly bytes: Uint8Array }
  | { readonly kind: 'status'; readonly code: status; readonly reason: string };

export interface ServerStream {
  readonly peer: string;
  write(message: Uint8Array, onWritten: () => void): void;
  /** Ends the stream with a status of gRPC and a reason for the client's log. */
  end(code: status, reason: string): void;
}

/** What it throws is a mistake of ours: it is told to `failed`, and to the client as ours. */
export interface StreamHandler {
  message(bytes: Uint8Array): void;
  closed(): void;
  failed(error: unknown): void;
}
