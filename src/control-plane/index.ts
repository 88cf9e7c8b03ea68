export type { Clock } from './clock.ts';
export type { ControlEvent } from './event-loop.ts';
export * from './event-stream.ts';
export * from './pilot.ts';
export * from './pilot-event.ts';
export * from './propagation.ts';
export { proxyNode } from './proxy-node.ts';
export * from './secret-service.ts';
