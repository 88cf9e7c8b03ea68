// The embedded proxy: a data plane that is configured through xDS only.
export { type Bootstrap, knownTypes, readBootstrap } from './bootstrap.ts';
export { type Answer, type Resolve, systemResolve } from './cluster/resolver.ts';
export { type ProxyOptions, type RunningProxy, startProxy } from './running-proxy.ts';
