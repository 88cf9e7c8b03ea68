// The xDS client: what a data plane uses to be configured.
export * from './grpc-stream.ts';
export * from './sotw-client.ts';
