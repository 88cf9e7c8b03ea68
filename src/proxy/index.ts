// The embedded proxy: a data plane that is configured through xDS only.
export { type Bootstrap, readBootstrap } from './bootstrap.ts';
export { knownTypes } from './known-types.ts';
export { type ProxyOptions, type RunningProxy, startProxy } from './running-proxy.ts';
export { type Answer, type Resolve, systemResolve } from './upstream/resolver.ts';
