// DestinationRules: which one a client gets for a service, and the policy that holds for a port and a subset.
import { compareText, deepEqual, type Origin, within } from '../base/index.ts';
import type { Subset, TrafficPolicy } from '../config/index.ts';
import { keyOf, type ObjectOf, resolveHost, selects } from '../registry/index.ts';
import { isGeneratedName } from './conversion/generated.ts';

export interface DestinationRuleModel {
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
  readonly createdAt: number;
  readonly host: string;
  /** As written, in order and once each; empty when the mesh's default holds. */
  readonly exportTo: readonly string[];
  /** Labels of the clients it is for; undefined for all. */
  readonly workloadSelector?: Readonly<Record<string, string>>;
  readonly trafficPolicy?: TrafficPolicy;
  /** Where the policy was written; twice where a policy of the Gateway API fills gaps. */
  readonly policyOrigins: readonly Origin[];
  readonly subsets: readonly SubsetModel[];
  /** Whether it was made from a policy of the Gateway API: what a user wrote goes before it. */
  readonly isGenerated: boolean;
  readonly origin: Origin;
}

export type SubsetModel = Subset & {
  readonly ruleName: string;
  readonly ruleNamespace: string;
  readonly origin: Origin;
};

/**
 * Which rules of a namespace a lookup is among: those that its own clients see, those that others may see,
 * or, of the root namespace, those that only its own clients see.
 */
export type RulePool = 'own' | 'exported' | 'private';

export function resolveDestinationRule(
  object: ObjectOf<'DestinationRule'>,
  domain: string,
): DestinationRuleModel {
  const { metadata, spec } = object;
  const workloadSelector = spec.workloadSelector && (spec.workloadSelector.matchLabels ?? {});
  return {
    key: keyOf(object),
    name: metadata.name,
    namespace: metadata.namespace,
    createdAt: metadata.creationTimestamp ?? 0,
    host: destinationRuleHost(object, domain),
    // A rule with a selector is for workloads of its own namespace, whatever it says.
    exportTo: workloadSelector ? ['.'] : [...new Set(spec.exportTo)].sort(),
    workloadSelector,
    trafficPolicy: spec.trafficPolicy,
    policyOrigins: spec.trafficPolicy ? [within(object.origin, 'spec.trafficPolicy')] : [],
    subsets: (spec.subsets ?? []).map((subset, i) => ({
      ...subset,
      ruleName: metadata.name,
      ruleNamespace: metadata.namespace,
      origin: within(object.origin, `spec.subsets[${i}]`),
    })),
    isGenerated: isGeneratedName(metadata.name),
    origin: object.origin,
  };
}

export function destinationRuleHost(object: ObjectOf<'DestinationRule'>, domain: string): string {
  return resolveHost(object.spec.host ?? '', object.metadata.namespace, domain).toLowerCase();
}

/** Of a mesh's `defaultDestinationRuleExportTo` only `.` has an effect. */
export function isInPool(
  rule: DestinationRuleModel,
  pool: RulePool,
  defaultExportTo: readonly string[] | undefined,
): boolean {
  const { exportTo, namespace } = rule;
  const isHome = (place: string | undefined): boolean => place === '.' || place === namespace;
  if (pool === 'own')
    return exportTo.length === 0 || exportTo.some((place) => place === '*' || isHome(place));
  const isPrivate =
    exportTo.length === 0
      ? (defaultExportTo?.includes('.') ?? false)
      : exportTo.length === 1 && isHome(exportTo[0]);
  return (pool === 'private') === isPrivate;
}

/** Whether an exported rule reaches the clients of another namespace. */
export function isExportedTo({ exportTo }: DestinationRuleModel, client: string): boolean {
  return exportTo.length === 0 || exportTo.includes('*') || exportTo.includes(client);
}

/**
 * Rules of one namespace for one host as the reference puts them together: those with selectors first, then
 * by age. A rule adds its subsets, and its policy where there is none, to each earlier one that is exported
 * to the same places or to fewer; it also stands for itself unless it has been added to one for the same
 * clients.
 * https://github.com/istio/istio/blob/master/pilot/pkg/model/destination_rule.go
 */
export function mergeRules(rules: readonly DestinationRuleModel[]): readonly DestinationRuleModel[] {
  const merged: DestinationRuleModel[] = [];
  for (const rule of [...rules].sort(firstRuleFirst)) {
    let standsAlone = true;
    for (const [index, earlier] of merged.entries()) {
      const way = joining(earlier, rule);
      standsAlone = way !== 'joined';
      if (way !== 'apart') merged[index] = addRule(earlier, rule);
    }
    if (standsAlone) merged.push(rule);
  }
  return merged;
}

/**
 * How a rule and an earlier one go together: not at all, as one, or the one a part of the other and also a
 * rule of its own.
 */
function joining(earlier: DestinationRuleModel, rule: DestinationRuleModel): 'apart' | 'joined' | 'both' {
  const sameExport = deepEqual(earlier.exportTo, rule.exportTo);
  const wider =
    earlier.exportTo.length > 0 && earlier.exportTo.every((place) => rule.exportTo.includes(place));
  if (!sameExport && !wider) return 'apart';
  const [a, b] = [earlier.workloadSelector, rule.workloadSelector];
  if (a && b) return deepEqual(a, b) ? 'joined' : 'apart';
  return sameExport || (!a && !b) ? 'joined' : 'both';
}

function addRule(first: DestinationRuleModel, next: DestinationRuleModel): DestinationRuleModel {
  const names = new Set(first.subsets.map((subset) => subset.name));
  return {
    ...first,
    ...joinedPolicy(first, next),
    subsets: [...first.subsets, ...next.subsets.filter((subset) => !names.has(subset.name))],
  };
}

type OwnPolicy = Pick<DestinationRuleModel, 'trafficPolicy' | 'policyOrigins'>;

function joinedPolicy(first: DestinationRuleModel, next: DestinationRuleModel): OwnPolicy {
  if (first.isGenerated === next.isGenerated) {
    const { trafficPolicy, policyOrigins } = first.trafficPolicy ? first : next;
    return { trafficPolicy, policyOrigins };
  }
  const [written, generated] = first.isGenerated ? [next, first] : [first, next];
  return {
    trafficPolicy: fillGaps(written.trafficPolicy, generated.trafficPolicy),
    policyOrigins: [...written.policyOrigins, ...generated.policyOrigins],
  };
}

/** What a user wrote, with what it leaves open from a policy of the Gateway API. */
function fillGaps(
  written: TrafficPolicy | undefined,
  generated: TrafficPolicy | undefined,
): TrafficPolicy | undefined {
  if (!written || !generated) return written ?? generated;
  const ports = new Map(
    (generated.portLevelSettings ?? []).map((settings) => [settings.port?.number, settings]),
  );
  const own = (written.portLevelSettings ?? []).map((settings) => {
    const below = ports.get(settings.port?.number);
    ports.delete(settings.port?.number);
    return { ...below, ...defined(settings) };
  });
  return { ...generated, ...defined(written), portLevelSettings: [...own, ...ports.values()] };
}

function defined<T extends object>(value: T): Partial<T> {
  return Object.fromEntries(Object.entries(value).filter(([, field]) => field !== undefined)) as Partial<T>;
}

function firstRuleFirst(a: DestinationRuleModel, b: DestinationRuleModel): number {
  const [left, right] = [a.workloadSelector ? 0 : 1, b.workloadSelector ? 0 : 1];
  return left - right || a.createdAt - b.createdAt || compareText(a.name, b.name);
}

/** Of the rules for a host: the first whose selector names this client, else the last for everyone. */
export function ruleForClient(
  rules: readonly DestinationRuleModel[],
  client: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): DestinationRuleModel | undefined {
  return (
    rules.find(
      ({ namespace, workloadSelector }) =>
        namespace === client.namespace && workloadSelector && selects(workloadSelector, client.labels),
    ) ?? ruleForEveryone(rules)
  );
}

/** What holds for connections that come in: a selector is for those that go out. */
export function ruleForEveryone(rules: readonly DestinationRuleModel[]): DestinationRuleModel | undefined {
  return rules.findLast((rule) => !rule.workloadSelector);
}

/**
 * The policy in force on a port, for a subset when named: the subset's fields over the rule's; a port's entry
 * replaces all it could say.
 */
export function effectivePolicy(
  rule: DestinationRuleModel | undefined,
  port: number,
  subset: Subset | undefined,
  base: TrafficPolicy = {},
): TrafficPolicy {
  return overlay(overlay(base, rule?.trafficPolicy, port), subset?.trafficPolicy, port);
}

type ConsistentHash = NonNullable<TrafficPolicy['loadBalancer']>['consistentHash'];

/**
 * What requests are hashed by. A subset that says nothing of hashing keeps the rule's way even when it sets
 * another balancer.
 */
export function consistentHash(
  rule: DestinationRuleModel | undefined,
  port: number,
  subset: Subset | undefined,
): ConsistentHash {
  const ofPort = (policy: TrafficPolicy | undefined): ConsistentHash =>
    policy?.portLevelSettings?.find((settings) => settings.port?.number === port)?.loadBalancer
      ?.consistentHash;
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
