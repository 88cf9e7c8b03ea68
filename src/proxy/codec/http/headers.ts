// Header fields as one flat list of lower-case names and values, in the order received.

export class Headers {
  readonly list: string[];

  constructor(list: string[] = []) {
    this.list = list;
  }

  static of(fields: Readonly<Record<string, string>>): Headers {
    return new Headers(Object.entries(fields).flat());
  }

  get(name: string): string | undefined {
    const list = this.list;
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) return list[i + 1];
    return undefined;
  }

  getAll(name: string): string[] {
    const list = this.list;
    const found: string[] = [];
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) found.push(list[i + 1] ?? '');
    return found;
  }

  /** All values of the name as one. */
  joined(name: string): string | undefined {
    const list = this.list;
    let text: string | undefined;
    for (let i = 0; i < list.length; i += 2)
      if (list[i] === name) text = text === undefined ? list[i + 1] : `${text},${list[i + 1]}`;
    return text;
  }

  has(name: string): boolean {
    const list = this.list;
    for (let i = 0; i < list.length; i += 2) if (list[i] === name) return true;
    return false;
  }

  add(name: string, value: string): void {
    this.list.push(name, value);
  }

  /** Replaces the first field of the name, drops the others, or appends. */
  set(name: string, value: string): void {
    const list = this.list;
    for (let i = 0; i < list.length; i += 2) {
      if (list[i] !== name) continue;
      list[i + 1] = value;
      this.#removeFrom(name, i + 2);
      return;
    }
    list.push(name, value);
  }

  remove(name: string): void {
    this.#removeFrom(name, 0);
  }

  removeWhere(unwanted: (name: string) => boolean): void {
    const list = this.list;
    let kept = 0;
    for (let i = 0; i < list.length; i += 2) {
      const name = list[i] ?? '';
      if (unwanted(name)) continue;
      list[kept] = name;
      list[kept + 1] = list[i + 1] ?? '';
      kept += 2;
    }
    list.length = kept;
  }

  clone(): Headers {
    return new Headers(this.list.slice());
  }

  get size(): number {
    return this.list.length / 2;
  }

  #removeFrom(name: string, from: number): void {
    const list = this.list;
    let kept = from;
    for (let i = from; i < list.length; i += 2) {
      if (list[i] === name) continue;
      if (kept !== i) {
        list[kept] = list[i] ?? '';
        list[kept + 1] = list[i + 1] ?? '';
      }
      kept += 2;
    }
    if (list.length !== kept) list.length = kept;
  }
}
