// Host names of the mesh: completion of short names, wildcards, and which of several patterns is the most
// specific.

/**
 * The FQDN that `host`, written in a resource of `namespace`, means. Wildcards, IPs and names with a dot stay
 * as they are.
 */
export function resolveHost(host: string, namespace: string, domain: string): string {
  if (host === '' || host === '*' || host.includes('.') || host.includes(':')) return host;
  return kubernetesHost(host, namespace, domain);
}

export function kubernetesHost(name: string, namespace: string, domain: string): string {
  return domain === '' ? `${name}.${namespace}` : `${name}.${namespace}.svc.${domain}`;
}

export const isWildcard = (host: string): boolean => host.startsWith('*');

/** Whether every name that `inner` stands for is one that `outer` stands for. */
export function covers(outer: string, inner: string): boolean {
  if (outer === inner || outer === '*') return true;
  if (!isWildcard(outer)) return false;
  const suffix = outer.slice(1);
  return isWildcard(inner)
    ? inner.slice(1).length >= suffix.length && inner.slice(1).endsWith(suffix)
    : inner.length > suffix.length && inner.endsWith(suffix);
}

/** Of two hosts, the one that the other covers; none when neither does. */
export function narrower(a: string, b: string): readonly string[] {
  if (covers(a, b)) return [b];
  return covers(b, a) ? [a] : [];
}

/** Whether some name is one that both stand for. */
export function overlaps(a: string, b: string): boolean {
  return covers(a, b) || covers(b, a);
}

/** A wildcard over a part of a label, such as `*-x.b.c`. */
export function isPartialWildcard(host: string): boolean {
  return host.length > 1 && host.startsWith('*') && !host.startsWith('*.');
}

/**
 * The wildcards that could stand for `host`, most specific first: `*.b.c`, `*.c`, `*` for `a.b.c`, and those
 * of `partial` that do.
 */
export function wildcardsOver(host: string, partial: readonly string[]): readonly string[] {
  const whole = wholeWildcardsOver(host);
  const fitting = partial.filter((pattern) => pattern !== host && host.endsWith(pattern.slice(1)));
  return fitting.length === 0 ? whole : [...whole, ...fitting].sort((a, b) => b.length - a.length);
}

function wholeWildcardsOver(host: string): readonly string[] {
  const wildcards: string[] = [];
  const plain = isWildcard(host) ? host.slice(2) : host;
  for (let dot = plain.indexOf('.'); dot >= 0; dot = plain.indexOf('.', dot + 1))
    wildcards.push(`*${plain.slice(dot)}`);
  wildcards.push('*');
  return wildcards;
}
