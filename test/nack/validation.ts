// What a real Envoy says of resources: `envoy --mode validate`, and which of many it is that it refuses.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { bootstrapOf, type Item } from './bootstrap.ts';

export interface Refusal {
  readonly item: Item;
  readonly reason: string;
}

/** Halves what is refused until single resources are left. */
export function refusals(envoy: string, items: readonly Item[]): readonly Refusal[] {
  const reason = items.length === 0 ? undefined : refusal(envoy, items);
  if (reason === undefined) return [];
  const [item] = items;
  if (items.length === 1 && item) return [{ item, reason }];
  const middle = Math.floor(items.length / 2);
  return [...refusals(envoy, items.slice(0, middle)), ...refusals(envoy, items.slice(middle))];
}

/** Undefined when Envoy accepts all. */
function refusal(envoy: string, items: readonly Item[]): string | undefined {
  const folder = mkdtempSync(join(tmpdir(), 'meltemi-nack-'));
  try {
    const file = join(folder, 'bootstrap.pb');
    writeFileSync(file, bootstrapOf(items));
    const { status, stderr, error } = spawnSync(envoy, ['--mode', 'validate', '-l', 'error', '-c', file], {
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    if (error) throw error;
    return status === 0 ? undefined : reasonOf(stderr);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** What Envoy says after the name of the file; of a message that breaks a rule, the rule alone. */
function reasonOf(log: string): string {
  const start = log.indexOf('error initializing configuration');
  const text = start < 0 ? log : log.slice(log.indexOf(': ', start) + 2);
  const rule = Math.max(0, text.lastIndexOf('caused by'));
  return text.slice(rule).replace(/\s+/g, ' ').slice(0, 400);
}
