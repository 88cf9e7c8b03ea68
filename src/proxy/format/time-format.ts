// The strftime subset that `%START_TIME(...)%` takes, in UTC, with Envoy's fractions of a second (`%f`,
// `%3f`, `%E3S`).
import type { Millis } from '../../base/index.ts';

type Part = (date: Date) => string;

/** Undefined when the format holds a directive that is not known. */
export function compileTimeFormat(format: string): ((time: Millis) => string) | undefined {
  if (format === '') return isoTime;
  const parts: (string | Part)[] = [];
  for (const [whole, width, directive] of format.matchAll(/[^%]+|%(E?\d|E\*)?([a-zA-Z%])|%/g)) {
    const literal = whole === '%' ? undefined : whole;
    const part = directive === undefined ? literal : partOf(width, directive);
    if (part === undefined) return undefined;
    parts.push(part);
  }
  return (time) => {
    const date = new Date(time);
    return parts.map((part) => (typeof part === 'string' ? part : part(date))).join('');
  };
}

/** The usual one; many a line is of the same millisecond. */
let lastTime = Number.NaN;
let lastText = '';

function isoTime(time: Millis): string {
  if (time !== lastTime) {
    lastText = new Date(time).toISOString();
    lastTime = time;
  }
  return lastText;
}

function partOf(width: string | undefined, directive: string): Part | string | undefined {
  const digits = Number(width?.replace('E', '') ?? Number.NaN);
  if (directive === 'f') return (date) => fraction(date, Number.isNaN(digits) ? 9 : digits);
  if (directive === 'S' && width?.startsWith('E'))
    return (date) => `${two(date.getUTCSeconds())}.${fraction(date, Number.isNaN(digits) ? 9 : digits)}`;
  return width === undefined ? directives[directive] : undefined;
}

const directives: Readonly<Record<string, Part | string>> = {
  '%': '%',
  Y: (date) => String(date.getUTCFullYear()),
  m: (date) => two(date.getUTCMonth() + 1),
  d: (date) => two(date.getUTCDate()),
  H: (date) => two(date.getUTCHours()),
  M: (date) => two(date.getUTCMinutes()),
  S: (date) => two(date.getUTCSeconds()),
  s: (date) => String(Math.floor(date.getTime() / 1000)),
  F: (date) => date.toISOString().slice(0, 10),
  T: (date) => date.toISOString().slice(11, 19),
  Z: 'UTC',
  z: '+0000',
  b: (date) => date.toUTCString().slice(8, 11),
  a: (date) => date.toUTCString().slice(0, 3),
  y: (date) => two(date.getUTCFullYear() % 100),
};

function fraction(date: Date, digits: number): string {
  return `${String(date.getUTCMilliseconds()).padStart(3, '0')}000000`.slice(0, digits);
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
