export * from './client/index.ts';
export { guardSession } from './h2-session-guard.ts';
export * from './resource-types.ts';
export * from './server/discovery-streams.ts';
export * from './server/feed.ts';
export * from './server/grpc-server.ts';
export * from './server/grpc-service.ts';
export * from './server/services/index.ts';
export * from './server/session.ts';
