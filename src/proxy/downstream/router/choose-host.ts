// Which host of a cluster a try goes to: the original destination, or the balancer's choice with what route
// and earlier tries say.

import type { ForwardDecision, HashResult } from '../../decide/route/index.ts';
import type { RetryPlan } from '../../plan/route/retry.ts';
import type { Cluster } from '../../upstream/cluster.ts';
import type { Host } from '../../upstream/host.ts';
import type { Answerable } from './answerable.ts';

export interface Choice {
  readonly stream: Answerable;
  readonly decision: ForwardDecision;
  readonly hash: HashResult['hash'];
  readonly retry: RetryPlan | undefined;
  /** Hosts of earlier tries, in their order. */
  readonly tried: readonly Host[];
}

export function chooseHost(
  cluster: Cluster,
  { stream, decision, hash, retry, tried }: Choice,
): Host | undefined {
  const { env, info } = stream.connection;
  if (cluster.plan.discovery === 'originalDst') {
    const { header } = cluster.plan.originalDst;
    return cluster.originalFor(info, header && stream.request.headers.get(header));
  }
  const match = decision.weighted?.metadataMatch ?? decision.route.metadataMatch;
  // The usual request has nothing to say.
  if (!hash && !match && tried.length === 0)
    return cluster.choose({ random: env.random, now: env.clock.now() });
  return cluster.choose({
    random: env.random,
    now: env.clock.now(),
    ...(hash ? { hash } : {}),
    ...(match ? { match } : {}),
    ...(retry && tried.length > 0 ? { ...otherPriorities(retry, tried), ...otherHosts(retry, tried) } : {}),
  });
}

/** Priorities are given up in rounds of as many tries as the policy says. */
function otherPriorities(retry: RetryPlan, tried: readonly Host[]): { avoidPriorities?: readonly number[] } {
  const rounds = retry.previousPriorities?.updateFrequency;
  if (rounds === undefined || tried.length < rounds) return {};
  const counted = tried.slice(0, tried.length - (tried.length % rounds));
  return { avoidPriorities: [...new Set(counted.map((host) => host.priority))] };
}

function otherHosts(
  retry: RetryPlan,
  tried: readonly Host[],
): { avoid?: (host: Host) => boolean; maxAttempts?: number } {
  const { avoidPreviousHosts, omitCanaryHosts } = retry;
  if (!avoidPreviousHosts && !omitCanaryHosts) return {};
  const avoid = (host: Host): boolean =>
    (avoidPreviousHosts && tried.includes(host)) || (omitCanaryHosts && isCanary(host));
  return { avoid, maxAttempts: retry.hostSelectionAttempts };
}

function isCanary(host: Host): boolean {
  return host.metadata['envoy.lb']?.['canary'] === true;
}
