export * from './encoded-resource.ts';
export { GrpcTranslator } from './grpc/grpc-translator.ts';
export type { GrpcView } from './grpc/grpc-view.ts';
export * from './names.ts';
export type { ElementOrigin } from './origins.ts';
export type { ResourceCell, ResourceKind, ResourceType } from './resources/resource-kind.ts';
export * from './translator.ts';
export type { View } from './view.ts';
