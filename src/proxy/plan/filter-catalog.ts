// How filters read their messages. Which filters there are is not the plans' affair: they are handed a catalog.

/** Plans of filters are plain values; their `kind` says whose they are. */
export interface Kinded {
  readonly kind: string;
}

export type FilterPlanner = (message: Uint8Array, problems: string[]) => Kinded;

/** By the full name of a message's type; undefined for one that no filter reads. */
export interface FilterCatalog {
  /** In the list of a connection manager. */
  http(type: string): FilterPlanner | undefined;
  /** In a route, or what is around routes. */
  route(type: string): FilterPlanner | undefined;
  /** In a filter chain, of filters that let a connection go on or not. */
  network(type: string): FilterPlanner | undefined;
}
