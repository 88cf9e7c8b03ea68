// The status of Gateway API objects as findings, for those who have no cluster to read it from.

import type { Issue } from '../../base/index.ts';
import { type AnyConfig, catalogue } from '../../config/index.ts';
import {
  gatewayApiStatus,
  hasConversions,
  type Mesh,
  type ReportedCondition,
  type StatusObject,
} from '../../mesh/index.ts';
import { keyOf } from '../../registry/index.ts';

export function gatewayApiIssues(mesh: Mesh): readonly Issue[] {
  if (!hasConversions(mesh.store)) return [];
  return gatewayApiStatus(mesh.store, mesh.registry).flatMap((object) => {
    const { kind, metadata } = object;
    const written = mesh.store.table(kind as AnyConfig['kind']).get(keyOf({ metadata }));
    if (written?.origin.file === undefined) return [];
    const messages = complaintsOf(object).map(
      ({ about, condition }) =>
        `${about}${condition.type} is ${condition.status} (${condition.reason}): ${condition.message}`,
    );
    const { severity } = catalogue.MT0213;
    return [...new Set(messages)].map(
      (message): Issue => ({ code: 'MT0213', severity, origin: written.origin, message }),
    );
  });
}

interface Complaint {
  /** Which part of the object: a listener, a parent. */
  readonly about: string;
  readonly condition: ReportedCondition;
}

function complaintsOf({ status }: StatusObject): readonly Complaint[] {
  const own = 'conditions' in status ? [{ about: '', conditions: status.conditions }] : [];
  const listeners =
    'listeners' in status
      ? status.listeners.map(({ name, conditions }) => ({ about: `listener ${name}: `, conditions }))
      : [];
  const parents =
    'parents' in status
      ? status.parents
          .filter(isOurs)
          .map(({ parentRef, conditions }) => ({ about: aboutParent(parentRef), conditions }))
      : [];
  const ancestors =
    'ancestors' in status
      ? status.ancestors
          .filter(isOurs)
          .map(({ ancestorRef, conditions }) => ({ about: aboutParent(ancestorRef), conditions }))
      : [];
  return [...own, ...listeners, ...parents, ...ancestors].flatMap(({ about, conditions }) =>
    conditions.filter(isComplaint).map((condition) => ({ about, condition })),
  );
}

function isOurs({ controllerName }: { readonly controllerName: string }): boolean {
  return controllerName.startsWith('istio.io/');
}

/** Whether pods are there to listen is not a matter of what was written. */
function isComplaint({ type, status }: ReportedCondition): boolean {
  return type === 'Conflicted' ? status === 'True' : type !== 'Programmed' && status === 'False';
}

function aboutParent({
  kind = 'Gateway',
  namespace,
  name,
  sectionName,
}: Readonly<Record<string, unknown>>): string {
  const place = namespace === undefined ? String(name) : `${namespace}/${name}`;
  return `at ${kind} ${place}${sectionName === undefined ? '' : `, ${sectionName}`}: `;
}
