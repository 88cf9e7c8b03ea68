// A small state-of-the-world xDS server for fixed resources: what the runner itself serves to proxies, apart
// from the product's own.
// https://www.envoyproxy.io/docs/envoy/latest/api-docs/xds_protocol
import { create, fromBinary, toBinary } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { Server, ServerCredentials, type ServerDuplexStream } from '@grpc/grpc-js';
import {
  type DiscoveryRequest,
  DiscoveryRequestSchema,
  DiscoveryResponseSchema,
} from '@meltemi/envoy-api/envoy/service/discovery/v3/discovery';

export interface DiscoveryOptions {
  readonly address: string;
  /** The gRPC method, `/package.Service/Method`. */
  readonly path: string;
  readonly resources: (request: DiscoveryRequest) => readonly Any[];
}

export interface DiscoveryServer {
  stop(): Promise<void>;
}

export function startDiscoveryServer({
  address,
  path,
  resources,
}: DiscoveryOptions): Promise<DiscoveryServer> {
  const server = new Server();
  const codec = {
    requestSerialize: (message: DiscoveryRequest) => Buffer.from(toBinary(DiscoveryRequestSchema, message)),
    requestDeserialize: (bytes: Buffer) => fromBinary(DiscoveryRequestSchema, bytes),
    responseSerialize: (bytes: Buffer) => bytes,
    responseDeserialize: (bytes: Buffer) => bytes,
  };
  const stream = { path, requestStream: true, responseStream: true, ...codec } as const;
  server.addService(
    { stream },
    { stream: (call: ServerDuplexStream<DiscoveryRequest, Buffer>) => converse(call, resources) },
  );
  return new Promise((resolve, reject) => {
    server.bindAsync(address, ServerCredentials.createInsecure(), (error) => {
      if (error) reject(error);
      else resolve({ stop: async () => server.forceShutdown() });
    });
  });
}

function converse(
  call: ServerDuplexStream<DiscoveryRequest, Buffer>,
  resources: DiscoveryOptions['resources'],
): void {
  const asked = new Map<string, string>();
  let count = 0;
  call.on('error', () => undefined);
  call.on('end', () => call.end());
  call.on('data', (request: DiscoveryRequest) => {
    const names = [...request.resourceNames].sort().join('\n');
    // An answer to the last response that asks for nothing new.
    if (request.responseNonce !== '' && asked.get(request.typeUrl) === names) return;
    asked.set(request.typeUrl, names);
    const nonce = String(++count);
    const response = create(DiscoveryResponseSchema, {
      versionInfo: nonce,
      nonce,
      typeUrl: request.typeUrl,
      resources: [...resources(request)],
    });
    call.write(Buffer.from(toBinary(DiscoveryResponseSchema, response)));
  });
}
