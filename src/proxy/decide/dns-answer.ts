// What a name server that has a table answers by itself.
import type { DnsPlan, NameEntry } from '../plan/dns/dns-plan.ts';

/** The entry of a name itself, or of the nearest wildcard above it. */
export function entryOf(names: DnsPlan['names'], name: string): NameEntry | undefined {
  const exact = names.get(name);
  if (exact) return exact;
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    const wild = names.get(`*${name.slice(dot)}`);
    if (wild) return wild;
  }
  return undefined;
}
