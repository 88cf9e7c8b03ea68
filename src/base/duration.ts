/** Whole milliseconds. */
export type Millis = number & { readonly __unit?: 'ms' };

const unitMillis: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/**
 * Reads Go's duration text (`1h30m`, `1.5s`, `-10ms`, `0`), the form that Istio's API uses.
 * Returns milliseconds, possibly fractional, or undefined when the text is not a duration.
 */
export function parseDuration(text: string): Millis | undefined {
  const sign = text.startsWith('-') ? -1 : 1;
  const body = text.replace(/^[+-]/, '');
  if (body === '0') return 0;
  const part = /(\d+\.?\d*|\.\d+)(ns|us|µs|ms|s|m|h)/y;
  let total = 0;
  let end = 0;
  while (end < body.length) {
    part.lastIndex = end;
    const match = part.exec(body);
    if (!match) return undefined;
    total += Number(match[1]) * (unitMillis[match[2] ?? ''] ?? Number.NaN);
    end = part.lastIndex;
  }
  return end === 0 ? undefined : sign * total;
}

/** The shortest usual spelling: `1.5s`, `250ms`, `0s`. */
export function formatDuration(ms: Millis): string {
  return Math.abs(ms) >= 1000 || ms === 0 ? `${ms / 1000}s` : `${ms}ms`;
}
