export * from './encoded-resource.ts';
export { type GrpcResourceType, GrpcTranslator } from './grpc/grpc-translator.ts';
export type { GrpcView } from './grpc/grpc-view.ts';
export * from './names.ts';
export * from './translator.ts';
export { type View, viewOf } from './view.ts';
