// The endpoints of outbound clusters, which every client from one place shares.
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import type { Audience } from '../../mesh/index.ts';
import { clusterLoadAssignment } from '../endpoints/load-assignment.ts';
import { targetNamed } from '../outbound-target.ts';
import type { View } from '../view.ts';
import { type Derivations, made, type ResourceKind } from './resource-kind.ts';

export function endpoints({ engine, mesh }: Derivations): ResourceKind<Pick<View, 'locatedAudience'>> {
  const resources = made(
    engine,
    { family: 'endpointsOfCluster', schema: ClusterLoadAssignmentSchema },
    (name, located: Audience) => {
      const target = targetNamed(mesh, located, name);
      return target && clusterLoadAssignment(mesh, located, target, 'discovered');
    },
  );
  return {
    type: 'endpoint',
    resource: ({ locatedAudience }, name) => resources.at(name, locatedAudience),
    message: ({ locatedAudience }, name) => resources.message(name, locatedAudience),
  };
}
