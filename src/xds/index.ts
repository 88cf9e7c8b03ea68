export * from './client/index.ts';
export * from './resource-types.ts';
export * from './server/feed.ts';
export * from './server/grpc-server.ts';
export * from './server/session.ts';
