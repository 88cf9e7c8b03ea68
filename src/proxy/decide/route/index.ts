// The proxy's pure decision code for HTTP: which route, what it does to the request, when to retry.
export * from './decision.ts';
export { finalizeRequestHeaders, finalizeResponseHeaders } from './finalize.ts';
export { drawn } from './fraction.ts';
export { type GeneratedCookie, type HashContext, type HashResult, requestHash } from './hash-policy.ts';
export { type HeaderMatcher, headerMatcher } from './header-match.ts';
export { applyHeaderMutations } from './header-mutation.ts';
export { type RetryOutcome, type RetryVerdict, requestRetry, retryBackoff, shouldRetry } from './retry.ts';
export { rewriteAuthority, rewrittenPath } from './rewrite.ts';
export { isGrpc } from './route-match.ts';
export { RouteTable } from './route-table.ts';
export { type TextMatcher, textMatcher } from './string-match.ts';
export { parseGrpcTimeout, requestTimeouts } from './timeout.ts';
