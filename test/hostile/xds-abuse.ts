// An xDS client that does what none should: bytes and requests as a test likes them, on streams of its own.
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import {
  DiscoveryRequestSchema,
  type DiscoveryResponse,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';
import { typeUrlOf } from '../../src/xds/index.ts';

const path = '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources';
const asBytes = (message: Buffer): Buffer => message;
const options = {
  'grpc.max_send_message_length': -1,
  'grpc.max_receive_message_length': -1,
  'grpc.use_local_subchannel_pool': 1,
};

export type Request = MessageInitShape<typeof DiscoveryRequestSchema>;

export function nodeOf(
  name: string,
  metadata: Request['node'] extends infer N ? (N extends { metadata?: infer M } ? M : never) : never = {},
): Request['node'] {
  return {
    id: `sidecar~10.9.9.9~${name}.default~default.svc.cluster.local`,
    metadata: { NAMESPACE: 'default', ...metadata },
  };
}

export function encode(request: Request): Buffer {
  return Buffer.from(toBinary(DiscoveryRequestSchema, create(DiscoveryRequestSchema, request)));
}

export const clusters = typeUrlOf('cluster');
export const endpoints = typeUrlOf('endpoint');
export const routes = typeUrlOf('route');

export class AbusiveClient {
  readonly #client: Client;
  readonly #streams: ClientDuplexStream<Buffer, Buffer>[] = [];

  constructor(address: string) {
    this.#client = new Client(address, credentials.createInsecure(), options);
  }

  open(onResponse: (response: DiscoveryResponse, stream: AbusiveStream) => void = () => {}): AbusiveStream {
    const call = this.#client.makeBidiStreamRequest(path, asBytes, asBytes);
    this.#streams.push(call);
    return new AbusiveStream(call, onResponse);
  }

  close(): void {
    for (const stream of this.#streams) stream.cancel();
    this.#client.close();
  }
}

export class AbusiveStream {
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  /** Resolves with the status that the stream ends with. */
  readonly ended: Promise<number>;
  readonly answered: Promise<void>;
  responses = 0;

  constructor(
    call: ClientDuplexStream<Buffer, Buffer>,
    onResponse: (response: DiscoveryResponse, stream: AbusiveStream) => void,
  ) {
    this.#call = call;
    this.ended = new Promise((resolve) =>
      call.on('error', (error) => resolve((error as { code?: number }).code ?? -1)),
    );
    this.answered = new Promise((resolve) => {
      call.on('data', (bytes: Buffer) => {
        this.responses++;
        resolve();
        onResponse(fromBinary(DiscoveryResponseSchema, bytes), this);
      });
    });
  }

  send(request: Request): this {
    return this.bytes(encode(request));
  }

  bytes(message: Buffer): this {
    this.#call.write(message);
    return this;
  }
}
