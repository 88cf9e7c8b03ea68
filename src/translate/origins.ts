// Which parts of which resources the elements of an Envoy message were made of. Kept beside the messages, for as
// long as these live, and never sent: what is encoded forgets it, and a question makes the message once more.
import type { Message } from '@bufbuild/protobuf';
import type { Origin } from '../base/index.ts';

const known = new WeakMap<object, readonly Origin[]>();

/** Notes where an element comes from, the most specific place first; returns it. */
export function madeOf<T extends object>(element: T, ...origins: readonly Origin[]): T {
  if (origins.length > 0) known.set(element, origins);
  return element;
}

export interface ElementOrigin {
  /** Field path in the message as Envoy writes it, `virtual_hosts[0].routes[1]`; empty for the message. */
  readonly path: string;
  /** The element's own name, if it has one. */
  readonly name: string;
  /** The most specific place first. */
  readonly origins: readonly Origin[];
}

/** Every element of a message that knows where it comes from, in the order of its fields. */
export function elementsOf(message: Message): readonly ElementOrigin[] {
  return [...walk(message, '')];
}

function* walk(value: unknown, path: string): Generator<ElementOrigin> {
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* walk(item, `${path}[${i}]`);
    return;
  }
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return;
  const origins = known.get(value);
  if (origins) yield { path, name: nameOf(value), origins };
  for (const [field, inner] of Object.entries(value)) {
    if (field.startsWith('$')) continue;
    const [name, content] = isChoice(inner) ? [inner.case, inner.value] : [field, inner];
    yield* walk(content, path === '' ? protoName(name) : `${path}.${protoName(name)}`);
  }
}

/** One of several fields, as protobuf-es has it. */
function isChoice(value: unknown): value is { readonly case: string; readonly value: unknown } {
  return typeof value === 'object' && value !== null && 'case' in value && typeof value.case === 'string';
}

function nameOf(element: object): string {
  return 'name' in element && typeof element.name === 'string' ? element.name : '';
}

function protoName(field: string): string {
  return field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
