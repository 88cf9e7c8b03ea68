export * from './age.ts';
export * from './config-store.ts';
export { labelsOfWorkload, localityOfNode, selects } from './endpoints.ts';
export * from './hostname.ts';
export * from './locality.ts';
export * from './protocol.ts';
export * from './registry.ts';
export * from './service.ts';
export { trafficDistributionOf } from './traffic-distribution.ts';
