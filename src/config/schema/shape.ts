// What a schema is: a plain description of a value that the decoder, the documentation and the CRD generator
// read, and its TypeScript type.
import type { IssueCode } from '../catalogue.ts';

/** Steps from the top of a resource to a field, as the user wrote them. */
export type Path = readonly (string | number)[];

/** `Type` exists for the compiler only: `Infer<typeof schema>` reads it. */
export interface Schema<Type> {
  readonly shape: Shape;
  readonly type?: Type;
}

export type Infer<S> = S extends Schema<infer T> ? T : never;

export type Shape =
  /**
   * In one line, unless `lines` is set: CR, LF and NUL would end a header, a path or a name in what the
   * proxies send.
   */
  | { readonly kind: 'string'; readonly lines?: boolean }
  | { readonly kind: 'boolean' }
  | { readonly kind: 'number'; readonly integer: boolean; readonly min?: number; readonly max?: number }
  | { readonly kind: 'duration'; readonly min: number }
  | { readonly kind: 'timestamp' }
  | { readonly kind: 'bytes' }
  | { readonly kind: 'any' }
  | { readonly kind: 'intOrString' }
  | {
      readonly kind: 'enum';
      readonly values: readonly string[];
      readonly refused?: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'list'; readonly item: Shape }
  | { readonly kind: 'map'; readonly value: Shape; readonly emptyAsNull: boolean }
  | MessageShape;

export interface MessageShape {
  readonly kind: 'message';
  readonly name: string;
  readonly fields: ReadonlyMap<string, FieldShape>;
  /** Other spellings of a field: its snake_case name and former names. */
  readonly spellings: ReadonlyMap<string, string>;
  /**
   * An open message passes over fields that it does not know: other people's APIs, of which we read a part.
   */
  readonly open: boolean;
  readonly rules: readonly Rule<never>[];
}

export interface FieldShape extends FieldOptions {
  readonly shape: Shape;
  readonly required: boolean;
}

export interface FieldOptions {
  /**
   * What becomes of the field; `docs/fields.md` is made of this. One of `effect`, `noEffect` and `ignored` is
   * there, or the fields below say.
   */
  readonly effect?: string;
  /** Why nothing becomes of it, where that is no news to the user. */
  readonly ignored?: string;
  readonly doc?: string;
  /** What to write instead. A value in the field is then a warning. */
  readonly deprecated?: string;
  /** As `deprecated`, for configuration of years ago that Istio no longer reads and we do. */
  readonly legacy?: { readonly code: IssueCode; readonly instead: string };
  /** Why the field does nothing here (yet). A value in it is then a note. */
  readonly noEffect?: string;
  /** Former names of the field. */
  readonly aliases?: readonly string[];
}

/**
 * A check over one decoded message; run only when everything below decoded cleanly, so the type can be relied
 * on.
 */
export type Rule<T> = (value: T, context: RuleContext) => void;

export interface RuleContext {
  readonly resource: ResourceFacts;
  /**
   * `path` is relative to the message that the rule belongs to. `{}` in the text stands for the field;
   * without it the field goes in front.
   */
  report(code: IssueCode, path: Path, message: string): void;
  /** The same context, seen from a field below. */
  at(path: Path): RuleContext;
}

export interface ResourceFacts {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
