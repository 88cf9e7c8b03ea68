// Hosts that did markedly worse than the others over one interval.
// https://www.envoyproxy.io/docs/envoy/latest/intro/arch_overview/upstream/outlier#success-rate
import type { OutlierPlan } from '../../plan/cluster/outlier-plan.ts';

export interface Tally {
  total: number;
  failed: number;
}

/** Below the mean by more than a factor of the standard deviation. */
export function outliersBySuccessRate(
  tallies: ReadonlyMap<string, Tally>,
  plan: OutlierPlan['successRate'],
): readonly string[] {
  const rates = [...busy(tallies, plan.requestVolume)].map(([host, { total, failed }]) => ({
    host,
    rate: (100 * (total - failed)) / total,
  }));
  if (rates.length === 0 || rates.length < plan.minimumHosts) return [];
  const mean = rates.reduce((sum, { rate }) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rates.length;
  const threshold = mean - Math.sqrt(variance) * plan.stdevFactor;
  return rates.filter(({ rate }) => rate < threshold).map(({ host }) => host);
}

export function outliersByFailures(
  tallies: ReadonlyMap<string, Tally>,
  plan: OutlierPlan['failurePercentage'],
): readonly string[] {
  const candidates = [...busy(tallies, plan.requestVolume)];
  if (candidates.length < plan.minimumHosts) return [];
  return candidates
    .filter(([, { total, failed }]) => (100 * failed) / total >= plan.threshold)
    .map(([host]) => host);
}

function busy(tallies: ReadonlyMap<string, Tally>, volume: number): Iterable<[string, Tally]> {
  return [...tallies].filter(([, tally]) => tally.total > 0 && tally.total >= volume);
}
