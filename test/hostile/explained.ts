// Differences from Envoy are allowed only by name and with a reason, and a reason without a difference is an
// error too.
import { isDeepStrictEqual } from 'node:util';

interface Compared<Outcome> {
  readonly row: { readonly name: string };
  readonly embedded: Outcome;
  readonly envoy: Outcome;
}

/**
 * `differences`: by reason, the names of the rows that differ for it. Returns a line for everything that is
 * not as it says.
 */
export function unexplained<Outcome>(
  compared: readonly Compared<Outcome>[],
  differences: Readonly<Record<string, readonly string[]>>,
): readonly string[] {
  const explained = new Set(Object.values(differences).flat());
  const lines = compared.flatMap(({ row, embedded, envoy }) => {
    const differs = !isDeepStrictEqual(embedded, envoy);
    if (differs === explained.has(row.name)) return [];
    return [
      differs
        ? `${row.name}: ${show(embedded)}, Envoy ${show(envoy)}`
        : `${row.name}: listed as a difference, but none is seen`,
    ];
  });
  const names = new Set(compared.map(({ row }) => row.name));
  const unknown = [...explained]
    .filter((name) => !names.has(name))
    .map((name) => `${name}: listed as a difference, but there is no such row`);
  return [...lines, ...unknown];
}

function show(outcome: unknown): string {
  return JSON.stringify(outcome).slice(0, 200);
}
