export * from './pilot.ts';
export { proxyNode } from './proxy-node.ts';
