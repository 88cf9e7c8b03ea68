// A map whose keys are tuples. Parts are compared as those of a Map are: texts and numbers by value, objects by
// identity (see interner.ts).

interface Node<V> {
  entry: { readonly value: V } | undefined;
  next: Map<unknown, Node<V>> | undefined;
}

export class TupleMap<K extends readonly unknown[], V> {
  readonly #root: Node<V> = { entry: undefined, next: undefined };
  #size = 0;

  get size(): number {
    return this.#size;
  }

  get(key: K): V | undefined {
    let node: Node<V> | undefined = this.#root;
    for (const part of key) {
      node = node.next?.get(part);
      if (!node) return undefined;
    }
    return node.entry?.value;
  }

  set(key: K, value: V): void {
    let node = this.#root;
    for (const part of key) {
      node.next ??= new Map();
      let next = node.next.get(part);
      if (!next) {
        next = { entry: undefined, next: undefined };
        node.next.set(part, next);
      }
      node = next;
    }
    if (!node.entry) this.#size++;
    node.entry = { value };
  }

  /** Removes the values for which this is so. Returns how many. */
  deleteWhere(isDeleted: (value: V) => boolean): number {
    const deleted = prune(this.#root, isDeleted);
    this.#size -= deleted;
    return deleted;
  }
}

function prune<V>(node: Node<V>, isDeleted: (value: V) => boolean): number {
  let deleted = 0;
  if (node.entry && isDeleted(node.entry.value)) {
    node.entry = undefined;
    deleted++;
  }
  for (const [part, next] of node.next ?? []) {
    deleted += prune(next, isDeleted);
    if (!next.entry && !next.next) node.next?.delete(part);
  }
  if (node.next?.size === 0) node.next = undefined;
  return deleted;
}
