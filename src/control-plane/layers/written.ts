// What the sources hold, each its own. Of a resource that several hold, the first source's counts.
import { type Issue, resourceName } from '../../base/index.ts';
import { type AnyConfig, catalogue } from '../../config/index.ts';
import { keyOf } from '../../registry/index.ts';
import type { ConfigUpdate, ResourceId, SourceId } from '../../sources/index.ts';

/** `kind/namespace/name` */
export type ObjectId = string;

/** A version that can be used, or that there is none. */
export type Holding = AnyConfig | 'broken';

interface SourceObjects {
  readonly id: SourceId;
  readonly holdings: Map<ObjectId, Holding>;
}

export class Written {
  /** In the order in which they count. */
  readonly #sources: SourceObjects[];
  /** Objects that more than one source holds. */
  readonly #repeated = new Set<ObjectId>();

  /** `order`: the sources that count first; others follow as they come. */
  constructor(order: readonly SourceId[]) {
    this.#sources = order.map((id) => ({ id, holdings: new Map() }));
  }

  put(source: SourceId, { changed, removed, broken = [] }: ConfigUpdate): void {
    const { holdings } = this.#source(source);
    const set = (id: ObjectId, holding: Holding | undefined): void => {
      if (holding === undefined) holdings.delete(id);
      else holdings.set(id, holding);
      if (this.#sources.length > 1) this.#count(id);
    };
    for (const id of removed) set(idOf(id), undefined);
    for (const id of broken) set(idOf(id), 'broken');
    for (const object of changed) set(objectId(object), object);
  }

  /** What counts of a resource; undefined when no source holds it. */
  winner(id: ObjectId): Holding | undefined {
    for (const { holdings } of this.#sources) {
      const holding = holdings.get(id);
      if (holding !== undefined) return holding;
    }
    return undefined;
  }

  /** A finding for each object that does not count because another source holds it. */
  get issues(): readonly Issue[] {
    return [...this.#repeated].flatMap((id) => {
      const [first, ...others] = this.#holdersOf(id).filter((holding) => holding !== 'broken');
      return first === undefined ? [] : others.map((other) => repetition(other, first));
    });
  }

  #holdersOf(id: ObjectId): readonly Holding[] {
    return this.#sources.flatMap(({ holdings }) => holdings.get(id) ?? []);
  }

  #count(id: ObjectId): void {
    if (this.#holdersOf(id).length > 1) this.#repeated.add(id);
    else this.#repeated.delete(id);
  }

  #source(id: SourceId): SourceObjects {
    const known = this.#sources.find((source) => source.id === id);
    if (known) return known;
    const source = { id, holdings: new Map<ObjectId, Holding>() };
    this.#sources.push(source);
    return source;
  }
}

export function idOf({ kind, namespace, name }: ResourceId): ObjectId {
  return `${kind}/${namespace}/${name}`;
}

export function objectId(object: AnyConfig): ObjectId {
  return `${object.kind}/${keyOf(object)}`;
}

/** The objects that an update is about. */
export function idsOf({ changed, removed, broken = [] }: ConfigUpdate): readonly ObjectId[] {
  return [...removed.map(idOf), ...broken.map(idOf), ...changed.map(objectId)];
}

function repetition({ origin }: AnyConfig, first: AnyConfig): Issue {
  const { file, line } = first.origin;
  const where = file === undefined ? 'of another source' : `${file}:${line ?? 1}`;
  return {
    code: 'MT0007',
    severity: catalogue.MT0007.severity,
    origin: { ...origin, path: 'metadata.name' },
    message: `${resourceName(origin)} is given twice; the first, ${where}, is used`,
  };
}
