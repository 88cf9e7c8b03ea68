// What the decoder and the rules have to say about one resource, before positions in a file are known.
import { catalogue, type IssueCode } from '../catalogue.ts';
import { fieldText } from './path.ts';
import type { Path, ResourceFacts, RuleContext } from './shape.ts';

export interface Finding {
  readonly code: IssueCode;
  readonly path: Path;
  readonly message: string;
  /** How the message calls the value that stands there; whoever has the file can put in what is written. */
  readonly said?: string;
}

/**
 * One broken generator must not fill the screen and the memory: the rest of a resource's findings is dropped,
 * but for a first error.
 */
const mostFindings = 100;

export class Findings {
  readonly all: Finding[] = [];
  #hasError = false;

  /** Whether the resource can be used. */
  get hasError(): boolean {
    return this.#hasError;
  }

  /** `{}` in the message stands for the field. */
  add(code: IssueCode, path: Path, message: string, said?: string): void {
    const isError = catalogue[code].severity === 'error';
    if (this.all.length >= mostFindings && (this.#hasError || !isError)) return;
    this.#hasError ||= isError;
    const text = message.replace('{}', () => fieldText(path) || 'the document');
    this.all.push({ code, path, message: text, ...(said === undefined ? {} : { said }) });
  }

  context(resource: ResourceFacts, base: Path): RuleContext {
    return {
      resource,
      report: (code, path, message) =>
        this.add(
          code,
          [...base, ...path],
          message.includes('{}') || isWhole([...base, ...path]) ? message : `{}: ${message}`,
        ),
      at: (path) => this.context(resource, [...base, ...path]),
    };
  }
}

function isWhole(path: Path): boolean {
  return fieldText(path) === '' || path.at(-1) === 'spec';
}
