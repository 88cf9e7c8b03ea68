// Which of several objects goes first: the oldest, and of those of one age the first by name, then namespace.
// https://github.com/istio/istio/blob/master/pilot/pkg/model/config.go (sortConfigByCreationTime)
import { compareText } from '../base/index.ts';

interface Dated {
  readonly name: string;
  readonly namespace: string;
  readonly createdAt?: number;
}

/** Objects without a time count as equally old, and older than all with one. */
export function byAge(a: Dated, b: Dated): number {
  return (
    (a.createdAt ?? 0) - (b.createdAt ?? 0) ||
    compareText(a.name, b.name) ||
    compareText(a.namespace, b.namespace)
  );
}

interface ObjectWithAge {
  readonly metadata: {
    readonly name: string;
    readonly namespace: string;
    readonly creationTimestamp?: number;
  };
}

export function olderFirst({ metadata: a }: ObjectWithAge, { metadata: b }: ObjectWithAge): number {
  return byAge({ ...a, createdAt: a.creationTimestamp }, { ...b, createdAt: b.creationTimestamp });
}
