// The shape of a check: what it looks at, and what it has to say about one object in the light of the mesh.
import type { IssueCode } from '../../config/index.ts';
import type { Mesh } from '../../mesh/index.ts';
import type { ObjectOf } from '../../registry/index.ts';

export type CheckedKind = 'VirtualService' | 'DestinationRule' | 'ServiceEntry' | 'Gateway' | 'Service';

/** `path`: of the field in the object, from `spec` on. */
export type Report = (code: IssueCode, path: string, message: string) => void;

export interface Check<K extends CheckedKind> {
  readonly kind: K;
  readonly check: (mesh: Mesh, object: ObjectOf<K>, report: Report) => void;
}
