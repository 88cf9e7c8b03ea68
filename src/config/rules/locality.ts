// Locality settings, shared by DestinationRule and MeshConfig.
import type { Path, RuleContext } from '../schema/index.ts';

interface Setting {
  readonly distribute?: readonly { readonly from?: string; readonly to?: Readonly<Record<string, number>> }[];
  readonly failover?: readonly FailoverEntry[];
  readonly failoverPriority?: readonly string[];
}

export interface FailoverEntry {
  readonly from?: string;
  readonly to?: string;
}

const topologyLabels = [
  'topology.kubernetes.io/region',
  'topology.kubernetes.io/zone',
  'topology.istio.io/subzone',
];

export function checkLocalitySetting(setting: Setting, context: RuleContext): void {
  const { distribute = [], failover = [], failoverPriority = [] } = setting;
  if (distribute.length > 0 && failover.length > 0)
    context.report('MT0108', ['distribute'], '{} cannot stand beside failover');
  if (failover.length > 0) checkNoTopologyLabels(failoverPriority, context);
  checkFrom(distribute, context);
  distribute.forEach((item, i) => {
    checkWeights(item.to ?? {}, context.at(['distribute', i, 'to']));
  });
  checkFailover(failover, context);
}

export function checkFailover(failover: readonly FailoverEntry[], context: RuleContext): void {
  failover.forEach(({ from = '', to = '' }, i) => {
    if (from === to) context.report('MT0125', ['failover', i], `{} leads from ${from} to itself`);
    for (const [name, region] of Object.entries({ from, to })) {
      if (/[/*]/.test(region))
        context.report('MT0125', ['failover', i, name], `"${region}" must be a region alone`);
    }
  });
}

export function checkNoTopologyLabels(priority: readonly string[], context: RuleContext): void {
  priority.forEach((label, i) => {
    if (topologyLabels.includes(label))
      context.report('MT0108', ['failoverPriority', i], `{} cannot name ${label} here`);
  });
}

function checkWeights(to: Readonly<Record<string, number>>, context: RuleContext): void {
  const weights = Object.entries(to);
  for (const [locality, weight] of weights) {
    if (weight < 1 || weight > 100)
      context.report('MT0125', [locality], `the weight must be from 1 to 100, not ${weight}`);
  }
  const sum = weights.reduce((total, [, weight]) => total + weight, 0);
  if (sum !== 100) context.report('MT0125', [], `the weights of {} add up to ${sum}, not to 100`);
  checkOverlap(Object.keys(to), (i) => [weights[i]?.[0] ?? ''], context);
}

/** The first that fits a client is used, so a wildcard may come after what it covers. */
function checkFrom(distribute: readonly { readonly from?: string }[], context: RuleContext): void {
  distribute.forEach(({ from = '' }, i) => {
    const path: Path = ['distribute', i, 'from'];
    checkLocality(from, path, context);
    const other = distribute
      .slice(0, i)
      .find(
        (earlier) =>
          covers(earlier.from ?? '', from) || (!from.endsWith('*') && covers(from, earlier.from ?? '')),
      );
    if (other !== undefined) context.report('MT0125', path, `{}: "${from}" and "${other.from}" overlap`);
  });
}

function checkOverlap(
  localities: readonly string[],
  pathOf: (index: number) => Path,
  context: RuleContext,
): void {
  localities.forEach((locality, i) => {
    checkLocality(locality, pathOf(i), context);
    const other = localities
      .slice(0, i)
      .find((earlier) => covers(earlier, locality) || covers(locality, earlier));
    if (other !== undefined) context.report('MT0125', pathOf(i), `"${locality}" and "${other}" overlap`);
  });
}

function checkLocality(locality: string, path: Path, context: RuleContext): void {
  if (locality === '') {
    context.report('MT0125', path, 'the locality is empty');
    return;
  }
  const parts = locality.split('/');
  if (parts.some((part) => part === '')) context.report('MT0125', path, `"${locality}" has an empty part`);
  if (locality.includes('*') && (locality.indexOf('*') !== locality.length - 1 || parts.at(-1) !== '*')) {
    context.report('MT0125', path, `"${locality}": * can only be the last part`);
  }
}

function covers(a: string, b: string): boolean {
  if (a === b || a === '*') return true;
  const stem = a.endsWith('/*') ? a.slice(0, -1) : `${a}/`;
  return b.startsWith(stem) || (a.endsWith('/*') && b === a.slice(0, -2));
}
