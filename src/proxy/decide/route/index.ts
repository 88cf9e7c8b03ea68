// The proxy's pure decision code for HTTP: which route, what it does to the request, when to retry.
export * from './decision.ts';
export { type FilterConfig, type FilterConfigs, noFilterConfigs } from './filter-config.ts';
export { finalizeRequestHeaders, finalizeResponseHeaders } from './finalize.ts';
export { drawn } from './fraction.ts';
export {
  type GeneratedCookie,
  type HashContext,
  type HashPolicies,
  type HashResult,
  requestHash,
} from './hash-policy.ts';
export { compileHeaderMatcher, type HeaderMatcher } from './header-match.ts';
export { applyHeaderMutations, compileHeaderMutations, type HeaderMutations } from './header-mutation.ts';
export { compileRegex, type TextMatcher } from './regex.ts';
export * from './request-view.ts';
export {
  RetryOn,
  type RetryOutcome,
  type RetryPlan,
  type RetryVerdict,
  requestRetry,
  retryBackoff,
  shouldRetry,
} from './retry.ts';
export { type HostRewrite, type PathRewrite, rewriteAuthority, rewrittenPath } from './rewrite.ts';
export { isGrpc } from './route-match.ts';
export { type CompiledRoutes, compileRouteConfiguration, type RouteTable } from './route-table.ts';
export { compileStringMatcher } from './string-match.ts';
export { parseGrpcTimeout, requestTimeouts, type TimeoutPlan } from './timeout.ts';
export { configuredText, peerText, wireText } from './wire-text.ts';
