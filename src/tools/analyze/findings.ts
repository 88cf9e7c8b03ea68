// What there is to say of the resources in force in the light of each other, kept up to date: an edit costs
// the checks that it concerns.
import { type Derived, deepEqual, type Issue, type MemoEngine } from '../../base/index.ts';
import type { AnyConfig, Kind } from '../../config/index.ts';
import type { Mesh } from '../../mesh/index.ts';
import { keyOf } from '../../registry/index.ts';
import { isChecked, issuesOf } from './checks.ts';
import { gatewayApiIssues } from './gateway-api-status.ts';

export interface ChangedObjects {
  readonly changed: readonly AnyConfig[];
  readonly removed: readonly { readonly kind: Kind; readonly namespace: string; readonly name: string }[];
}

interface Entry {
  readonly cell: Derived<readonly Issue[]>;
  readonly unwatch: () => void;
}

export class Findings {
  readonly #engine: MemoEngine;
  readonly #mesh: Mesh;
  readonly #entries = new Map<string, Entry>();
  readonly #byCell = new Map<Derived<unknown>, string>();
  readonly #issues = new Map<string, readonly Issue[]>();
  readonly #gatewayApi: Derived<readonly Issue[]>;

  constructor(engine: MemoEngine, mesh: Mesh) {
    this.#engine = engine;
    this.#mesh = mesh;
    this.#gatewayApi = engine.derive('gatewayApiIssues', () => gatewayApiIssues(mesh), deepEqual);
  }

  /** Findings are about what users wrote; what was made of it is not theirs to correct. */
  apply({ changed, removed }: ChangedObjects): void {
    for (const { kind, namespace, name } of removed) this.#remove(`${kind}/${namespace}/${name}`);
    for (const object of changed)
      if (object.origin.file !== undefined && isChecked(object)) this.#add(object);
  }

  /** Looks again at what a change may have reached. */
  process(touched: readonly Derived<unknown>[]): void {
    for (const cell of touched) {
      const id = this.#byCell.get(cell);
      if (id !== undefined) this.#look(id);
    }
  }

  /** By `kind/namespace/name`; objects without findings are left out. */
  get byObject(): ReadonlyMap<string, readonly Issue[]> {
    return this.#issues;
  }

  /** What became of the objects of the Gateway API. */
  get ofGatewayApi(): readonly Issue[] {
    return this.#gatewayApi.get();
  }

  #add(object: AnyConfig): void {
    const id = `${object.kind}/${keyOf(object)}`;
    if (!this.#entries.has(id)) {
      const { store } = this.#mesh;
      const inForce = (): AnyConfig | undefined => store.table(object.kind).get(keyOf(object));
      const compute = (): readonly Issue[] => {
        const current = inForce();
        return current ? issuesOf(this.#mesh, current) : [];
      };
      const cell = this.#engine.derive('findings', compute, deepEqual);
      this.#entries.set(id, { cell, unwatch: cell.watch() });
      this.#byCell.set(cell as Derived<unknown>, id);
    }
    this.#look(id);
  }

  #look(id: string): void {
    const issues = this.#entries.get(id)?.cell.get() ?? [];
    if (issues.length > 0) this.#issues.set(id, issues);
    else this.#issues.delete(id);
  }

  #remove(id: string): void {
    const entry = this.#entries.get(id);
    if (!entry) return;
    entry.unwatch();
    this.#byCell.delete(entry.cell as Derived<unknown>);
    entry.cell.dispose();
    this.#entries.delete(id);
    this.#issues.delete(id);
  }
}
