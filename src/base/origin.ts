/** Where a value came from: the resource that a user wrote, and the place in it. */
export interface Origin {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** Source of the resource: a path as the user gave it, or a label such as `kubernetes`. */
  readonly file?: string;
  /** 1-based position in `file`. Of the document when `path` is empty, else of the field. */
  readonly line?: number;
  readonly column?: number;
  /** Field path inside the resource, e.g. `spec.http[1].route[0].weight`. */
  readonly path: string;
}

/** The same resource, one field deeper. Positions are resolved later, from the path. */
export function at(origin: Origin, path: string): Origin {
  return { ...origin, path: joinPath(origin.path, path) };
}

/**
 * A place in the resource, whatever file it stands in now: what is derived from a resource need not change
 * when the resource only moves. Its line is found when somebody asks.
 */
export function within({ kind, namespace, name }: Origin, path: string): Origin {
  return { kind, namespace, name, path };
}

export function joinPath(base: string, rest: string): string {
  if (base === '') return rest;
  return rest.startsWith('[') ? base + rest : `${base}.${rest}`;
}

/** `default/reviews`, the form in which people name a resource. */
export function resourceName(origin: Origin): string {
  return `${origin.kind} ${origin.namespace}/${origin.name}`;
}
