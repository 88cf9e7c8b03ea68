// Where in a file a field stands: a tree of positions made from the YAML parser's events, only for documents
// that need it.
import { EVENT_ID, type Event, getScalarValue } from 'js-yaml';
import { type Path, snakeCase } from './schema/index.ts';

export interface Position {
  readonly line: number;
  readonly column: number;
}

interface Node {
  readonly start: number;
  /** Of a scalar. */
  readonly end?: number;
  readonly fields?: ReadonlyMap<string, { readonly keyStart: number; readonly value: Node }>;
  readonly items?: readonly Node[];
}

export class PositionMap {
  readonly #root: Node | undefined;
  readonly #firstLine: number;
  readonly #lineStarts: readonly number[];
  readonly #padding: ReadonlyMap<number, number>;
  readonly #text: string;

  /** `padding`: blanks that the text has before a line and the user's file has not, by line from 0. */
  constructor(
    chunk: { readonly text: string; readonly line: number; readonly padding: ReadonlyMap<number, number> },
    events: readonly Event[],
  ) {
    this.#firstLine = chunk.line;
    this.#padding = chunk.padding;
    this.#text = chunk.text;
    this.#lineStarts = lineStartsOf(chunk.text);
    this.#root = new TreeBuilder(chunk.text, events).document();
  }

  /** A scalar as it is written, without quotes. */
  textOf(path: Path): string | undefined {
    let node = this.#root;
    for (const step of path)
      node = typeof step === 'number' ? node?.items?.[step] : fieldOf(node, step)?.value;
    return node?.end === undefined ? undefined : this.#text.slice(node.start, node.end);
  }

  /** Of the field, or of the nearest thing around it when it is not there. */
  find(path: Path): Position {
    let node = this.#root;
    let start = node?.start ?? 0;
    for (const step of path) {
      const field = typeof step === 'string' ? fieldOf(node, step) : undefined;
      node = typeof step === 'number' ? node?.items?.[step] : field?.value;
      if (!node) break;
      start = field?.keyStart ?? node.start;
    }
    return this.#positionOf(start);
  }

  #positionOf(offset: number): Position {
    let low = 0;
    let high = this.#lineStarts.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if ((this.#lineStarts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    return {
      line: this.#firstLine + low,
      column: offset - (this.#lineStarts[low] ?? 0) - (this.#padding.get(low) ?? 0) + 1,
    };
  }
}

/** Rules name a field as the API does; the user may have written it in snake case. */
function fieldOf(node: Node | undefined, name: string) {
  return node?.fields?.get(name) ?? node?.fields?.get(snakeCase(name));
}

function lineStartsOf(text: string): number[] {
  const starts = [0];
  for (let i = text.indexOf('\n'); i !== -1; i = text.indexOf('\n', i + 1)) starts.push(i + 1);
  return starts;
}

class TreeBuilder {
  readonly #text: string;
  readonly #events: readonly Event[];
  #next = 0;

  constructor(text: string, events: readonly Event[]) {
    this.#text = text;
    this.#events = events;
  }

  document(): Node | undefined {
    this.#next++;
    return this.#node();
  }

  #node(): Node | undefined {
    const event = this.#events[this.#next++];
    switch (event?.type) {
      case EVENT_ID.SCALAR:
        return { start: Math.max(event.valueStart, 0), end: event.valueEnd };
      case EVENT_ID.ALIAS:
        return { start: event.anchorStart };
      case EVENT_ID.SEQUENCE:
        return { start: event.start, items: this.#items() };
      case EVENT_ID.MAPPING:
        return { start: event.start, fields: this.#fields() };
      default:
        return undefined;
    }
  }

  #items(): Node[] {
    const items: Node[] = [];
    for (let node = this.#node(); node; node = this.#node()) items.push(node);
    return items;
  }

  #fields(): Map<string, { keyStart: number; value: Node }> {
    const fields = new Map<string, { keyStart: number; value: Node }>();
    for (;;) {
      const event = this.#events[this.#next];
      const key = this.#node();
      if (!key) return fields;
      const value = this.#node();
      if (!value) return fields;
      if (event?.type === EVENT_ID.SCALAR)
        fields.set(getScalarValue(this.#text, event), { keyStart: key.start, value });
    }
  }
}
