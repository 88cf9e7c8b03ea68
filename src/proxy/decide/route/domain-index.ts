// Which virtual host takes an authority: exact name, longest `*suffix`, longest `prefix*`, then `*`.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#config-route-v3-virtualhost

interface Wildcard<T> {
  readonly text: string;
  readonly domain: string;
  readonly value: T;
}

export interface DomainMatch<T> {
  readonly value: T;
  /** As configured. */
  readonly domain: string;
}

const mostRemembered = 1024;
const longestRemembered = 256;

export class DomainIndex<T> {
  readonly #exact = new Map<string, DomainMatch<T>>();
  readonly #suffixes: Wildcard<T>[] = [];
  readonly #prefixes: Wildcard<T>[] = [];
  readonly #seen = new Set<string>();
  readonly #ignorePort: boolean;
  /** Authorities as they came, with what was found for them. */
  readonly #recent = new Map<string, DomainMatch<T>>();
  #any: DomainMatch<T> | undefined;

  constructor(options: { ignorePort: boolean }) {
    this.#ignorePort = options.ignorePort;
  }

  /** False when the domain is taken already. Call `finish` after the last one. */
  add(domain: string, value: T): boolean {
    const key = domain.toLowerCase();
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    if (key === '*') this.#any = { value, domain };
    else if (key.startsWith('*')) this.#suffixes.push({ text: key.slice(1), domain, value });
    else if (key.endsWith('*')) this.#prefixes.push({ text: key.slice(0, -1), domain, value });
    else this.#exact.set(key, { value, domain });
    return true;
  }

  finish(): void {
    this.#suffixes.sort((a, b) => b.text.length - a.text.length);
    this.#prefixes.sort((a, b) => b.text.length - a.text.length);
  }

  find(authority: string): DomainMatch<T> | undefined {
    const known = this.#recent.get(authority);
    if (known !== undefined) return known;
    const found = this.#search(authority);
    if (found !== undefined) this.#remember(authority, found);
    return found;
  }

  // Bounded, so that a flood of invented names costs searches and no memory.
  #remember(authority: string, found: DomainMatch<T>): void {
    if (authority.length > longestRemembered) return;
    if (this.#recent.size >= mostRemembered) this.#recent.clear();
    this.#recent.set(authority, found);
  }

  #search(authority: string): DomainMatch<T> | undefined {
    const host = (this.#ignorePort ? withoutPort(authority) : authority).toLowerCase();
    return this.#exact.get(host) ?? this.#findWildcard(host) ?? this.#any;
  }

  // A wildcard stands for at least one character.
  #findWildcard(host: string): DomainMatch<T> | undefined {
    for (const entry of this.#suffixes)
      if (entry.text.length < host.length && host.endsWith(entry.text)) return entry;
    for (const entry of this.#prefixes)
      if (entry.text.length < host.length && host.startsWith(entry.text)) return entry;
    return undefined;
  }
}

function withoutPort(authority: string): string {
  const colon = authority.lastIndexOf(':');
  if (colon < 0 || colon < authority.lastIndexOf(']')) return authority;
  for (let i = colon + 1; i < authority.length; i++) {
    const code = authority.charCodeAt(i);
    if (code < 48 || code > 57) return authority;
  }
  return authority.slice(0, colon);
}
