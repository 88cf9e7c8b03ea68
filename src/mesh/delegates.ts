// Delegation: a root's rule stands for the rules of another VirtualService, each narrowed by the root's
// match.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#Delegate
import { deepEqual } from '../base/index.ts';
import type { HTTPMatchRequest, StringMatch } from '../config/index.ts';
import type { HttpMatch, HttpRule, VirtualServiceModel } from './virtual-service.ts';

/** Finds a delegate that the root's namespace may see; undefined when missing, hidden, or not a delegate. */
export type FindDelegate = (key: string, rootNamespace: string) => VirtualServiceModel | undefined;

/** The root with each delegating rule replaced by the merged rules of its delegate. */
export function mergeDelegates(root: VirtualServiceModel, find: FindDelegate): VirtualServiceModel {
  if (!root.http.some((route) => route.delegate)) return root;
  return {
    ...root,
    http: root.http.flatMap((route) => (route.delegate ? expand(root, route, find) : [route])),
  };
}

function expand(root: VirtualServiceModel, route: HttpRule, find: FindDelegate): readonly HttpRule[] {
  const delegate = find(
    `${route.delegate?.namespace ?? root.namespace}/${route.delegate?.name ?? ''}`,
    root.namespace,
  );
  if (!delegate) return [];
  return delegate.http.flatMap((inner) => mergeRoute(route, inner) ?? []);
}

/** Undefined when the inner rule asks for something outside the root's match: the whole rule is dropped. */
function mergeRoute(root: HttpRule, inner: HttpRule): HttpRule | undefined {
  const match = mergeMatches(root.match ?? [], inner.match ?? []);
  if (!match) return undefined;
  return {
    ...inner,
    name: [root.name, inner.name].filter(Boolean).join('-') || undefined,
    match: match.length > 0 ? match : undefined,
    delegate: undefined,
    rewrite: inner.rewrite ?? root.rewrite,
    directResponse: inner.directResponse ?? root.directResponse,
    timeout: inner.timeout ?? root.timeout,
    retries: inner.retries ?? root.retries,
    fault: inner.fault ?? root.fault,
    mirror: inner.mirror ?? root.mirror,
    mirrorPercent: inner.mirrorPercent ?? root.mirrorPercent,
    mirrorPercentage: inner.mirrorPercentage ?? root.mirrorPercentage,
    corsPolicy: inner.corsPolicy ?? root.corsPolicy,
    mirrors: inner.mirrors ?? root.mirrors,
    headers: inner.headers ?? root.headers,
    origins: [...inner.origins, ...root.origins],
  };
}

function mergeMatches(
  root: readonly HttpMatch[],
  inner: readonly HttpMatch[],
): readonly HttpMatch[] | undefined {
  if (root.length === 0) return inner;
  if (inner.length === 0) return root;
  const merged: HttpMatch[] = [];
  for (const narrow of inner) {
    const fitting = root.flatMap((wide) => mergeMatch(wide, narrow) ?? []);
    if (fitting.length === 0) return undefined;
    merged.push(...fitting);
  }
  return merged;
}

function mergeMatch(root: HttpMatch, inner: HttpMatch): HttpMatch | undefined {
  if (conflicts(root, inner)) return undefined;
  return {
    ...root,
    ...Object.fromEntries(Object.entries(inner).filter(([, value]) => value !== undefined)),
    name: [root.name, inner.name].filter(Boolean).join('-') || undefined,
    uri: inner.uri ?? root.uri,
    headers: mergeMaps(root.headers, inner.headers),
    withoutHeaders: mergeMaps(root.withoutHeaders, inner.withoutHeaders),
    queryParams: mergeMaps(root.queryParams, inner.queryParams),
    ignoreUriCase: inner.ignoreUriCase ?? root.ignoreUriCase,
    sourceLabels: mergeMaps(root.sourceLabels, inner.sourceLabels),
    origins: [...inner.origins, ...root.origins],
  };
}

function conflicts(root: HTTPMatchRequest, inner: HTTPMatchRequest): boolean {
  return (
    textConflicts(root.uri, inner.uri) ||
    textConflicts(root.scheme, inner.scheme) ||
    textConflicts(root.method, inner.method) ||
    textConflicts(root.authority, inner.authority) ||
    mapConflicts(root.headers, inner.headers) ||
    mapConflicts(root.withoutHeaders, inner.withoutHeaders) ||
    mapConflicts(root.queryParams, inner.queryParams) ||
    (root.uri !== undefined &&
      inner.uri !== undefined &&
      (root.ignoreUriCase ?? false) !== (inner.ignoreUriCase ?? false)) ||
    differs(root.port || undefined, inner.port || undefined) ||
    differs(root.sourceNamespace || undefined, inner.sourceNamespace || undefined) ||
    Object.entries(inner.sourceLabels ?? {}).some(([key, value]) =>
      differs(root.sourceLabels?.[key], value),
    ) ||
    (inner.gateways ?? []).some(
      (gateway) =>
        root.gateways !== undefined && root.gateways.length > 0 && !root.gateways.includes(gateway),
    )
  );
}

function differs<T>(root: T | undefined, inner: T | undefined): boolean {
  return root !== undefined && inner !== undefined && root !== inner;
}

// The inner text must stand for a part of what the root's stands for; nothing is known of regular
// expressions.
function textConflicts(root: StringMatch | undefined, inner: StringMatch | undefined): boolean {
  if (!root || !inner) return false;
  if (root.regex !== undefined || inner.regex !== undefined) return true;
  const text = inner.exact ?? inner.prefix;
  if (root.prefix !== undefined) return text === undefined || !text.startsWith(root.prefix);
  return root.exact !== undefined && inner.exact !== root.exact;
}

function mapConflicts(
  root: Readonly<Record<string, StringMatch>> | undefined,
  inner: Readonly<Record<string, StringMatch>> | undefined,
): boolean {
  return Object.entries(inner ?? {}).some(([key, value]) => {
    const outer = root?.[key];
    return outer !== undefined && !deepEqual(outer, value) && textConflicts(outer, value);
  });
}

function mergeMaps<T>(
  root: Readonly<Record<string, T>> | undefined,
  inner: Readonly<Record<string, T>> | undefined,
): Readonly<Record<string, T>> | undefined {
  return root || inner ? { ...root, ...inner } : undefined;
}
