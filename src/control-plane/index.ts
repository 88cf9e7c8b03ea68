export * from './pilot.ts';
export { proxyNode } from './proxy-node.ts';
export * from './secret-service.ts';
