// The endpoints of outbound clusters, which every client from one place shares.
import { ClusterLoadAssignmentSchema } from '@meltemi/envoy-api/envoy/config/endpoint/v3/endpoint';
import type { Audience } from '../../mesh/index.ts';
import { targetNamed } from '../clusters/target.ts';
import { encodeResource, sameResource } from '../encoded-resource.ts';
import { clusterLoadAssignment } from '../endpoints/load-assignment.ts';
import type { View } from '../view.ts';
import type { Derivations, ResourceKind } from './resource-kind.ts';

export function endpoints({ engine, mesh }: Derivations): ResourceKind<Pick<View, 'locatedAudience'>> {
  const resources = engine.family(
    'endpoints',
    (located: Audience, name: string) => {
      const target = targetNamed(mesh, located, name);
      const assignment = target && clusterLoadAssignment(mesh, located, target, 'discovered');
      return assignment && encodeResource(ClusterLoadAssignmentSchema, name, assignment);
    },
    sameResource,
  );
  return { type: 'endpoint', resource: ({ locatedAudience }, name) => resources.at(locatedAudience, name) };
}
