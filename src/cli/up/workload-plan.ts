// Process resources as the workloads to run: one for each replica, with everything resolved that starting it
// needs.
import { dirname, resolve } from 'node:path';
import type { Origin } from '../../base/index.ts';
import type { ObjectOfKind } from '../../config/index.ts';

export interface WorkloadPort {
  readonly name: string;
  /** The number by which Services mean it; the application listens elsewhere, on what `PORT` says. */
  readonly port: number;
}

export interface WorkloadPlan {
  /** `namespace/name` */
  readonly key: string;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly command: readonly string[];
  readonly workingDir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly ports: readonly WorkloadPort[];
  readonly origin: Origin;
}

export function workloadPlans(process: ObjectOfKind<'Process'>): readonly WorkloadPlan[] {
  const { metadata, spec, origin } = process;
  const replicas = spec.replicas ?? 1;
  return Array.from({ length: replicas }, (_, index) => {
    const name = replicas === 1 ? metadata.name : `${metadata.name}-${index}`;
    return {
      key: `${metadata.namespace}/${name}`,
      name,
      namespace: metadata.namespace,
      labels: { ...metadata.labels, ...spec.labels },
      serviceAccount: spec.serviceAccount || 'default',
      command: spec.command ?? [],
      workingDir: resolve(dirname(origin.file ?? '.'), spec.workingDir ?? '.'),
      env: spec.env ?? {},
      ports: (spec.ports ?? []).map((port) => ({ name: port.name ?? '', port: port.port })),
      origin,
    };
  });
}
