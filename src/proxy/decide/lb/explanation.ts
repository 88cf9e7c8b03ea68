// Why a load balancer chose a host, and not another: a value that can be printed and compared.
import { unreachable } from '../../../base/index.ts';
import type { Availability } from './priority-load.ts';

export interface LbExplanation {
  /** Addresses stand for hosts. */
  readonly chosen: string | undefined;
  /** Of clusters that have subsets. */
  readonly subset: SubsetChoice | undefined;
  readonly priorities: readonly PriorityShare[];
  /** Where the choice was made; undefined when no priority takes load. */
  readonly place: Place | undefined;
  /** Of the priority above, where localities have weights that count. */
  readonly localities: readonly LocalityShare[] | undefined;
  readonly candidates: readonly Candidate[];
  readonly passed: readonly PassedHost[];
}

export interface SubsetChoice {
  readonly wanted: Readonly<Record<string, unknown>>;
  /** What was used: the subset itself, one with fewer keys, or what the fallback policy says. */
  readonly used: 'subset' | 'fewerKeys' | 'anyEndpoint' | 'defaultSubset' | 'nothing';
  readonly criteria: Readonly<Record<string, unknown>> | undefined;
}

export interface PriorityShare extends Availability {
  readonly priority: number;
  /** Percent of all requests that go to its healthy, and to its degraded hosts. */
  readonly healthyLoad: number;
  readonly degradedLoad: number;
  readonly panic: boolean;
  /** An earlier try used it, and the retry policy prefers others. */
  readonly avoided: boolean;
}

export interface Place {
  readonly priority: number;
  /** `all` in panic: health does not count then. */
  readonly hosts: 'healthy' | 'degraded' | 'all';
}

export interface LocalityShare {
  readonly locality: string;
  /** As configured. */
  readonly weight: number;
  readonly usable: number;
  readonly total: number;
  /** In percent, after hosts that are not usable have reduced its weight. */
  readonly share: number;
}

export interface Candidate {
  readonly host: string;
  /** In percent; undefined where it depends on what is in flight. */
  readonly share: number | undefined;
}

export interface PassedHost {
  readonly host: string;
  readonly reason: PassedReason;
}

export type PassedReason =
  | { readonly kind: 'unhealthy' | 'ejected' | 'draining' }
  /** Healthy hosts are enough. */
  | { readonly kind: 'degraded' }
  /** The draw fell to the degraded hosts. */
  | { readonly kind: 'healthy' }
  | { readonly kind: 'otherPriority'; readonly priority: number }
  | { readonly kind: 'otherLocality'; readonly locality: string; readonly weightless: boolean }
  | { readonly kind: 'subset' }
  /** In panic the cluster would rather fail. */
  | { readonly kind: 'panic' }
  /** Tried before, or one that retries leave out. */
  | { readonly kind: 'avoided' }
  | { readonly kind: 'turn' };

export function passedText(reason: PassedReason): string {
  switch (reason.kind) {
    case 'unhealthy':
      return 'it is unhealthy';
    case 'ejected':
      return 'outlier detection has ejected it';
    case 'draining':
      return 'it is draining';
    case 'degraded':
      return 'it is degraded, and enough others are healthy';
    case 'healthy':
      return 'it is healthy, and the draw fell to the degraded ones';
    case 'otherPriority':
      return `it has priority ${reason.priority}`;
    case 'otherLocality':
      return reason.weightless
        ? `its locality ${reason.locality} has no weight`
        : `the turn of its locality ${reason.locality} did not come`;
    case 'subset':
      return 'it is not in the subset';
    case 'panic':
      return 'too few hosts are usable, and the cluster fails requests then';
    case 'avoided':
      return 'it was tried before, or retries leave it out';
    case 'turn':
      return 'its turn did not come';
    default:
      return unreachable(reason);
  }
}

/** A line each for the way to the choice, from priorities to hosts. */
export function explanationLines(explanation: LbExplanation): readonly string[] {
  const { subset, priorities, localities, candidates, passed, chosen } = explanation;
  return [
    ...(subset ? [subsetText(subset)] : []),
    ...priorities.map((one) => priorityText(one, explanation.place?.priority === one.priority)),
    ...(localities ?? []).map(
      (one) => `locality ${one.locality}: weight ${one.weight}, ${percent(one.share)} of its priority`,
    ),
    ...candidates.map(({ host, share }) => (share === undefined ? host : `${host}: ${percent(share)}`)),
    chosen === undefined ? 'no host' : `chosen: ${chosen}`,
    ...passed.map(({ host, reason }) => `not ${host}: ${passedText(reason)}`),
  ];
}

function subsetText({ wanted, used }: SubsetChoice): string {
  const text = JSON.stringify(wanted);
  switch (used) {
    case 'subset':
      return `subset ${text}`;
    case 'fewerKeys':
      return `no subset ${text}: the one with fewer keys`;
    case 'anyEndpoint':
      return `no subset ${text}: any host`;
    case 'defaultSubset':
      return `no subset ${text}: the default one`;
    case 'nothing':
      return `no subset ${text}`;
    default:
      return unreachable(used);
  }
}

function priorityText(one: PriorityShare, used: boolean): string {
  const hosts = `${one.healthy} healthy and ${one.degraded} degraded of ${one.total}`;
  const load = `load ${one.healthyLoad} %, degraded ${one.degradedLoad} %`;
  const notes = [
    ...(one.panic ? ['in panic: too few of all are usable'] : []),
    ...(one.avoided ? ['avoided by the retry policy'] : []),
    ...(used ? ['used'] : []),
  ];
  return [`priority ${one.priority}: ${hosts}`, load, ...notes].join(', ');
}

function percent(share: number): string {
  return `${Math.round(share * 10) / 10} %`;
}
