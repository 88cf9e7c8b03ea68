// Reading in metadata, whose shape nobody knows.

/** The value under a key, when there is one. */
export function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}
