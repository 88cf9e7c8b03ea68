// DestinationRules: which one a client gets for a service, and the policy that holds for a port and a subset.
import type { Origin } from '../base/index.ts';
import type { Subset, TrafficPolicy } from '../config/index.ts';
import { type ObjectOf, resolveHost, selects } from '../registry/index.ts';
import { type Visibility, visibilityOf } from './visibility.ts';

export interface DestinationRuleModel {
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  readonly host: string;
  readonly visibility: Visibility;
  /** Labels of the clients it is for; undefined for all. */
  readonly workloadSelector?: Readonly<Record<string, string>>;
  readonly trafficPolicy?: TrafficPolicy;
  readonly subsets: readonly SubsetModel[];
  readonly origin: Origin;
}

export type SubsetModel = Subset & { readonly ruleName: string; readonly ruleNamespace: string };

export function resolveDestinationRule(
  object: ObjectOf<'DestinationRule'>,
  domain: string,
  defaultExportTo: readonly string[] | undefined,
): DestinationRuleModel {
  const { metadata, spec } = object;
  return {
    key: `${metadata.namespace}/${metadata.name}`,
    name: metadata.name,
    namespace: metadata.namespace,
    createdAt: metadata.creationTimestamp ?? 0,
    host: destinationRuleHost(object, domain),
    visibility: visibilityOf(spec.exportTo, metadata.namespace, defaultExportTo),
    workloadSelector: spec.workloadSelector?.matchLabels,
    trafficPolicy: spec.trafficPolicy,
    subsets: (spec.subsets ?? []).map((subset) => ({ ...subset, ruleName: metadata.name, ruleNamespace: metadata.namespace })),
    origin: object.origin,
  };
}

export function destinationRuleHost(object: ObjectOf<'DestinationRule'>, domain: string): string {
  return resolveHost(object.spec.host ?? '', object.metadata.namespace, domain).toLowerCase();
}

/**
 * Rules of one namespace for one host as the clients see them: those with the same visibility and selector add up (subsets of the older
 * win, the first policy wins), the others stay apart.
 */
export function mergeRules(rules: readonly DestinationRuleModel[]): readonly DestinationRuleModel[] {
  const merged: DestinationRuleModel[] = [];
  for (const rule of [...rules].sort(olderRuleFirst)) {
    const index = merged.findIndex((other) => sameAudience(other, rule));
    const first = merged[index];
    if (first) merged[index] = addRule(first, rule);
    else merged.push(rule);
  }
  return merged;
}

function addRule(first: DestinationRuleModel, next: DestinationRuleModel): DestinationRuleModel {
  const names = new Set(first.subsets.map((subset) => subset.name));
  return {
    ...first,
    trafficPolicy: first.trafficPolicy ?? next.trafficPolicy,
    subsets: [...first.subsets, ...next.subsets.filter((subset) => !names.has(subset.name))],
  };
}

function sameAudience(a: DestinationRuleModel, b: DestinationRuleModel): boolean {
  return JSON.stringify([a.visibility, sorted(a.workloadSelector)]) === JSON.stringify([b.visibility, sorted(b.workloadSelector)]);
}

function sorted(labels: Readonly<Record<string, string>> | undefined): unknown {
  return labels && Object.entries(labels).sort();
}

function olderRuleFirst(a: DestinationRuleModel, b: DestinationRuleModel): number {
  return a.createdAt - b.createdAt || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
}

/** Of the merged rules for a host: the first whose selector names this client, else the first for everyone. */
export function ruleForClient(
  rules: readonly DestinationRuleModel[],
  labels: Readonly<Record<string, string>>,
): DestinationRuleModel | undefined {
  return (
    rules.find(
      (rule) => rule.workloadSelector && Object.keys(rule.workloadSelector).length > 0 && selects(rule.workloadSelector, labels),
    ) ?? rules.find((rule) => !rule.workloadSelector || Object.keys(rule.workloadSelector).length === 0)
  );
}

/** The policy in force on a port, for a subset when named: the subset's fields over the rule's; a port's entry replaces all it could say. */
export function effectivePolicy(
  rule: DestinationRuleModel | undefined,
  port: number,
  subset: Subset | undefined,
  base: TrafficPolicy = {},
): TrafficPolicy {
  return overlay(overlay(base, rule?.trafficPolicy, port), subset?.trafficPolicy, port);
}

type ConsistentHash = NonNullable<TrafficPolicy['loadBalancer']>['consistentHash'];

/** What requests are hashed by. A subset that says nothing of hashing keeps the rule's way even when it sets another balancer. */
export function consistentHash(rule: DestinationRuleModel | undefined, port: number, subset: Subset | undefined): ConsistentHash {
  const ofPort = (policy: TrafficPolicy | undefined): ConsistentHash =>
    policy?.portLevelSettings?.find((settings) => settings.port?.number === port)?.loadBalancer?.consistentHash;
  return (
    ofPort(subset?.trafficPolicy) ??
    subset?.trafficPolicy?.loadBalancer?.consistentHash ??
    ofPort(rule?.trafficPolicy) ??
    rule?.trafficPolicy?.loadBalancer?.consistentHash
  );
}

function overlay(base: TrafficPolicy, over: TrafficPolicy | undefined, port: number): TrafficPolicy {
  if (!over) return base;
  const merged = {
    connectionPool: over.connectionPool ?? base.connectionPool,
    outlierDetection: over.outlierDetection ?? base.outlierDetection,
    loadBalancer: over.loadBalancer ?? base.loadBalancer,
    tls: over.tls ?? base.tls,
    tunnel: over.tunnel ?? base.tunnel,
    proxyProtocol: over.proxyProtocol ?? base.proxyProtocol,
    retryBudget: over.retryBudget ?? base.retryBudget,
  };
  const own = over.portLevelSettings?.find((settings) => settings.port?.number === port);
  if (!own) return merged;
  return {
    ...merged,
    connectionPool: own.connectionPool,
    outlierDetection: own.outlierDetection,
    loadBalancer: own.loadBalancer,
    tls: own.tls,
  };
}
