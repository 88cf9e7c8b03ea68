// Counters and gauges, all or those whose names fit an expression.
import { RE2JS } from 're2js';
import { prometheusText } from '../observe/prometheus.ts';
import type { Stats } from '../observe/stats.ts';
import { json, type Page, type Reply } from './page.ts';

export const statsPage: Page = {
  path: '/stats',
  answer: ({ stats }, query) =>
    query.get('format') === 'prometheus' ? { body: prometheusText(stats) } : listed(stats, query),
};

function listed(stats: Stats, query: URLSearchParams): Reply {
  const pattern = patternOf(query.get('filter'));
  if (pattern === 'malformed') return { status: 400, body: 'Invalid re2 regex\n' };
  const found = stats
    .all()
    .filter(
      (stat) => (!pattern || pattern.matcher(stat.name).find()) && (!query.has('usedonly') || stat.used),
    );
  if (query.get('format') === 'json')
    return json({ stats: found.map(({ name, value }) => ({ name, value })) });
  return { body: found.map((stat) => `${stat.name}: ${stat.value}\n`).join('') };
}

function patternOf(filter: string | null): RE2JS | 'malformed' | undefined {
  if (filter === null) return undefined;
  try {
    return RE2JS.compile(filter);
  } catch {
    return 'malformed';
  }
}
