// The proxy's pure door: what a message of xDS means (plans) and what is decided by it, for those who want to know
// what a proxy would do without running one. Nothing behind it reaches a socket, a file or a clock.
export type { HeaderView, RequestView } from './codec/http/request-view.ts';
export type { ConnectionInfo } from './decide/connection-info.ts';
export {
  type ChainDecision,
  type ChainLoss,
  type ConnectionFacts,
  decideChain,
  lossText,
} from './decide/filter-chain.ts';
export * from './decide/lb/index.ts';
export * from './decide/route/index.ts';
export { filterCatalog } from './filters/all.ts';
export { isFault } from './filters/fault.ts';
export { type FaultOutcome, faultDecision } from './filters/fault-decision.ts';
export { type ClusterPlan, planCluster } from './plan/cluster/cluster-plan.ts';
export { type EndpointPlan, type LocalityPlan, planEndpoints } from './plan/cluster/endpoints-plan.ts';
export { type ChainPlan, routesWanted } from './plan/listener/chain-plan.ts';
export { type ListenerPlan, planListener } from './plan/listener/listener-plan.ts';
export type { Planned } from './plan/planned.ts';
export type { RoutePlan } from './plan/route/route-plan.ts';
export { planRoutes } from './plan/route/route-table.ts';
