// Pure load balancing: host records in, a host out. Clock and random source come as arguments.

export { createLoadBalancer } from './balancer.ts';
export * from './explanation.ts';
export * from './host.ts';
export { type Hash64, xxHash64, xxHash64Bytes } from './xx-hash.ts';
