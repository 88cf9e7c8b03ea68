// What comes of a message: a plain value, and what is wrong with it. With problems the resource is refused.

export interface Planned<T> {
  readonly plan: T;
  readonly problems: readonly string[];
}
