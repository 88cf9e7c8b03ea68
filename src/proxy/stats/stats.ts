// Counters and gauges by Envoy's names.

export class Stat {
  readonly name: string;
  readonly kind: 'counter' | 'gauge';
  value = 0;

  constructor(name: string, kind: 'counter' | 'gauge') {
    this.name = name;
    this.kind = kind;
  }
}

export class Stats {
  readonly #stats = new Map<string, Stat>();

  counter(name: string): Stat {
    return this.#stat(name, 'counter');
  }

  gauge(name: string): Stat {
    return this.#stat(name, 'gauge');
  }

  drop(prefix: string): void {
    for (const name of [...this.#stats.keys()]) if (name.startsWith(prefix)) this.#stats.delete(name);
  }

  /** Sorted by name. */
  all(): readonly Stat[] {
    return [...this.#stats.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  #stat(name: string, kind: 'counter' | 'gauge'): Stat {
    let stat = this.#stats.get(name);
    if (!stat) {
      stat = new Stat(name, kind);
      this.#stats.set(name, stat);
    }
    return stat;
  }
}

/** Prometheus' text format, with Envoy's prefix and characters replaced as Envoy does. */
export function prometheusText(stats: Stats): string {
  return stats
    .all()
    .map((stat) => {
      const name = `envoy_${stat.name.replace(/[^a-zA-Z0-9_]/g, '_')}`;
      return `# TYPE ${name} ${stat.kind}\n${name} ${stat.value}\n`;
    })
    .join('');
}
