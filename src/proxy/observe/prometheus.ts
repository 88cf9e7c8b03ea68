// Prometheus' text format, with the names and labels that Envoy gives its statistics.
// https://www.envoyproxy.io/docs/envoy/latest/operations/admin#get--stats-prometheus
import type { Stat, Stats } from './stats.ts';

interface Metric {
  readonly name: string;
  readonly labels: readonly (readonly [string, string])[];
}

interface Scope {
  /** The name of what is counted may hold dots: it goes as far as it can. */
  readonly pattern: RegExp;
  readonly prefix: string;
  readonly label: string;
}

/** Those with a second level come first. */
const scopes: readonly Scope[] = [
  {
    pattern: /^cluster\.(.+)\.((?:ssl|outlier_detection)\.[a-z0-9_]+)$/,
    prefix: 'cluster',
    label: 'envoy_cluster_name',
  },
  { pattern: /^cluster\.(.+)\.([a-z0-9_]+)$/, prefix: 'cluster', label: 'envoy_cluster_name' },
  { pattern: /^listener\.(.+)\.(ssl\.[a-z0-9_]+)$/, prefix: 'listener', label: 'envoy_listener_address' },
  { pattern: /^listener\.(.+)\.([a-z0-9_]+)$/, prefix: 'listener', label: 'envoy_listener_address' },
  { pattern: /^http\.(.+)\.([a-z0-9_]+)$/, prefix: 'http', label: 'envoy_http_conn_manager_prefix' },
  { pattern: /^tcp\.(.+)\.([a-z0-9_]+)$/, prefix: 'tcp', label: 'envoy_tcp_prefix' },
];

/** One block a metric, as the format demands: statistics that differ in a label alone stand together. */
export function prometheusText(stats: Stats): string {
  const groups = new Map<string, { kind: Stat['kind']; lines: string[] }>();
  for (const stat of stats.all()) {
    const { name, labels } = metricOf(stat.name);
    const group = groups.get(name) ?? { kind: stat.kind, lines: [] };
    group.lines.push(`${name}${labelText(labels)} ${stat.value}\n`);
    groups.set(name, group);
  }
  return [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { kind, lines }]) => `# TYPE ${name} ${kind}\n${lines.join('')}`)
    .join('');
}

function metricOf(stat: string): Metric {
  for (const { pattern, prefix, label } of scopes) {
    const [, subject, rest] = pattern.exec(stat) ?? [];
    if (subject !== undefined && rest !== undefined) return classed(`${prefix}_${rest}`, [[label, subject]]);
  }
  return { name: metricName(stat), labels: [] };
}

/** Counters of responses by their class are one metric. */
function classed(name: string, labels: Metric['labels']): Metric {
  const [, before, digit] = /^(.*_rq)_([1-5])xx$/.exec(name) ?? [];
  if (before === undefined || digit === undefined) return { name: metricName(name), labels };
  return { name: metricName(`${before}_xx`), labels: [['envoy_response_code_class', digit], ...labels] };
}

function metricName(name: string): string {
  return `envoy_${name.replace(/[^a-zA-Z0-9_]/g, '_')}`;
}

function labelText(labels: Metric['labels']): string {
  if (labels.length === 0) return '';
  return `{${labels.map(([name, value]) => `${name}="${value.replace(/[\\"\n]/g, escaped)}"`).join(',')}}`;
}

function escaped(character: string): string {
  return character === '\n' ? '\\n' : `\\${character}`;
}
