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
  config: OutlierPlan['successRate'],
): readonly string[] {
  const rates = [...busy(tallies, config.requestVolume)].map(([host, { total, failed }]) => ({
    host,
    rate: (100 * (total - failed)) / total,
  }));
  if (rates.length === 0 || rates.length < config.minimumHosts) return [];
  const mean = rates.reduce((sum, { rate }) => sum + rate, 0) / rates.length;
  const variance = rates.reduce((sum, { rate }) => sum + (rate - mean) ** 2, 0) / rates.length;
  const threshold = mean - Math.sqrt(variance) * config.stdevFactor;
  return rates.filter(({ rate }) => rate < threshold).map(({ host }) => host);
}

export function outliersByFailures(
  tallies: ReadonlyMap<string, Tally>,
  config: OutlierPlan['failurePercentage'],
): readonly string[] {
  const candidates = [...busy(tallies, config.requestVolume)];
  if (candidates.length < config.minimumHosts) return [];
  return candidates
    .filter(([, { total, failed }]) => (100 * failed) / total >= config.threshold)
    .map(([host]) => host);
}

function busy(tallies: ReadonlyMap<string, Tally>, volume: number): Iterable<[string, Tally]> {
  return [...tallies].filter(([, tally]) => tally.total > 0 && tally.total >= volume);
}
