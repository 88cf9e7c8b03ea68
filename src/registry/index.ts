export * from './age.ts';
export * from './config-store.ts';
export { selects } from './endpoints.ts';
export * from './hostname.ts';
export * from './locality.ts';
export * from './protocol.ts';
export * from './registry.ts';
export * from './service.ts';
