// How those who decide see a message: read-only views of a request or a response, and headers that can be changed.

/**
 * Reads header lines by lower-case name, without pseudo headers. `get` is the first line; `getAll` every
 * line, each unsplit.
 */
export interface HeaderView {
  get(name: string): string | undefined;
  getAll(name: string): readonly string[];
}

/** The part of a request that decides. `path` is the `:path` header with its query, after normalisation. */
export interface RequestView extends HeaderView {
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly scheme: string;
}

/**
 * A request or response on its way, for header mutations. Names are lower case; `:path` and `:authority` are
 * names too on a request.
 */
export interface MutableHeaders {
  get(name: string): string | undefined;
  set(name: string, value: string): void;
  /** Adds a line after the existing ones. */
  add(name: string, value: string): void;
  remove(name: string): void;
}

/** Pseudo headers are read from the request's own fields; `host` means the authority. */
export function requestHeader(request: RequestView, name: string): string | undefined {
  if (name.charCodeAt(0) !== 58) return name === 'host' ? request.authority : request.get(name);
  switch (name) {
    case ':path':
      return request.path;
    case ':method':
      return request.method;
    case ':authority':
      return request.authority;
    case ':scheme':
      return request.scheme;
    default:
      return request.get(name);
  }
}
