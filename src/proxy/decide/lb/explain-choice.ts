// Puts into an explanation what a balancer went by in one choice.
import type { LbPlan } from '../../plan/cluster/lb-plan.ts';
import type {
  Candidate,
  LbExplanation,
  LocalityShare,
  PassedHost,
  PassedReason,
  Place,
  PriorityShare,
} from './explanation.ts';
import type { LbContext, LbHost } from './host.ts';
import type { Picker } from './picker.ts';
import { type PriorityHosts, unfit } from './priority-hosts.ts';
import type { PriorityLoads } from './priority-load.ts';

export interface Choice<H extends LbHost> {
  readonly plan: LbPlan;
  readonly priorities: readonly PriorityHosts<H>[];
  readonly loads: PriorityLoads;
  /** Where the last draw fell, and what it was left to. */
  readonly place: Place | undefined;
  readonly picker: Picker<H> | undefined;
  readonly host: H | undefined;
}

export function explainChoice<H extends LbHost>(choice: Choice<H>, context: LbContext<H>): LbExplanation {
  const { host, place, priorities } = choice;
  const localities = place && priorities[place.priority]?.localityShares(place.hosts);
  return {
    chosen: host?.address,
    subset: undefined,
    priorities: priorityShares(choice, context),
    place,
    localities,
    candidates: candidatesOf(choice, context),
    passed: passedHosts(choice, context, localities),
  };
}

function priorityShares<H extends LbHost>(
  { priorities, loads }: Choice<H>,
  { avoidPriorities }: LbContext<H>,
): readonly PriorityShare[] {
  return priorities.map(({ availability }, priority) => ({
    priority,
    ...availability,
    healthyLoad: loads.healthy[priority] ?? 0,
    degradedLoad: loads.degraded[priority] ?? 0,
    panic: loads.panic[priority] ?? false,
    avoided: avoidPriorities?.includes(priority) ?? false,
  }));
}

function candidatesOf<H extends LbHost>(
  { picker, place, priorities }: Choice<H>,
  { now = 0 }: LbContext<H>,
): readonly Candidate[] {
  if (!picker || !place) return [];
  const shares = picker.shares(now);
  if (shares) return shares.map(({ host, share }) => ({ host: host.address, share: 100 * share }));
  const members = priorities[place.priority]?.members() ?? [];
  return [...members]
    .filter(([host]) => !unfit(host, place.hosts))
    .map(([host]) => ({ host: host.address, share: undefined }));
}

function passedHosts<H extends LbHost>(
  choice: Choice<H>,
  context: LbContext<H>,
  localities: readonly LocalityShare[] | undefined,
): readonly PassedHost[] {
  const { plan, priorities, loads, place } = choice;
  const chosenLocality = localityOf(choice);
  // Rings and tables hold the hosts of all localities.
  const oneLocality = localities && plan.policy.kind !== 'ringHash' && plan.policy.kind !== 'maglev';

  const here = (host: H, locality: string, at: Place): PassedReason => {
    const health = unfit(host, at.hosts);
    if (health) return health;
    if (at.hosts === 'all' && plan.failOnPanic) return { kind: 'panic' };
    if (localities?.find((one) => one.locality === locality)?.share === 0)
      return { kind: 'otherLocality', locality, weightless: true };
    if (context.avoid?.(host)) return { kind: 'avoided' };
    if (oneLocality && locality !== chosenLocality)
      return { kind: 'otherLocality', locality, weightless: false };
    return { kind: 'turn' };
  };

  const elsewhere = (host: H, priority: number): PassedReason => {
    const health = unfit(host, loads.panic[priority] ? 'all' : 'healthy');
    return health && health.kind !== 'degraded' ? health : { kind: 'otherPriority', priority };
  };

  return priorities.flatMap((hosts, priority) =>
    [...hosts.members()]
      .filter(([host]) => host !== choice.host)
      .map(([host, locality]) => ({
        host: host.address,
        reason: place?.priority === priority ? here(host, locality, place) : elsewhere(host, priority),
      })),
  );
}

function localityOf<H extends LbHost>({ host, place, priorities }: Choice<H>): string | undefined {
  const members = (place && priorities[place.priority]?.members()) ?? [];
  return [...members].find(([member]) => member === host)?.[1];
}
