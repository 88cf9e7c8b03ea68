// Clusters: a few that every proxy has, those of the ports that a workload serves, and those of the services
// that a proxy can reach.
import { type Cluster, ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { deepEqual } from '../../base/index.ts';
import { type Audience, type Mesh, passesAutomatically } from '../../mesh/index.ts';
import { gatewayServices } from '../clusters/gateway-services.ts';
import { inboundCluster } from '../clusters/inbound.ts';
import { outboundClusterOf } from '../clusters/outbound.ts';
import { allowAnyDynamicDns, blackHole, inboundPassthrough, passthrough } from '../clusters/static.ts';
import type { InboundPlan } from '../inbound-plan.ts';
import {
  blackHoleCluster,
  dynamicDnsCluster,
  inboundClusterName,
  inboundPassthroughCluster,
  passthroughCluster,
} from '../names.ts';
import { outboundTargets, passedTargets, targetName, targetNamed } from '../outbound-target.ts';
import { undeclaredPolicy } from '../routes/sidecar-routes.ts';
import type { View } from '../view.ts';
import {
  type Derivations,
  group,
  groupedKind,
  type Made,
  made,
  type ResourceGroup,
  type ResourceKind,
} from './resource-kind.ts';

export function clusters(from: Derivations): ResourceKind {
  const outbound = outboundResources(from);
  return groupedKind(from, 'cluster', [
    fixedClusters(from),
    inboundClusters(from),
    outboundClusters(from, outbound),
    passedClusters(from, outbound),
  ]);
}

const fixed: Readonly<Record<string, (mesh: Mesh) => Cluster>> = {
  [blackHoleCluster]: blackHole,
  [passthroughCluster]: passthrough,
  [inboundPassthroughCluster]: inboundPassthrough,
  [dynamicDnsCluster]: allowAnyDynamicDns,
};

function fixedClusters({ engine, mesh }: Derivations): ResourceGroup {
  const resources = made(engine, { family: 'fixedCluster', schema: ClusterSchema }, (name) =>
    fixed[name]?.(mesh),
  );
  return group(resources, {
    names: ({ type, audience }) => {
      if (type === 'router') return [blackHoleCluster];
      const lookedUp = undeclaredPolicy(mesh, audience) === 'look-up' ? [dynamicDnsCluster] : [];
      return [blackHoleCluster, inboundPassthroughCluster, passthroughCluster, ...lookedUp];
    },
    owns: (name) => fixed[name] !== undefined,
    keyOf: () => [],
  });
}

/** To the application beside a sidecar. */
function inboundClusters({ engine, mesh }: Derivations): ResourceGroup {
  const resources = made(
    engine,
    { family: 'inboundCluster', schema: ClusterSchema },
    (name, inbound: InboundPlan | undefined) => {
      const own = inbound?.ports.find((port) => inboundClusterName(port.port) === name);
      return own && inboundCluster(own, mesh.settings);
    },
  );
  return group(resources, {
    names: ({ inbound }) => inbound?.ports.map((port) => inboundClusterName(port.port)) ?? [],
    owns: (name) => name.startsWith('inbound|'),
    keyOf: ({ inbound }) => [inbound],
  });
}

type OutboundClusters = Made<[located: Audience]>;

function outboundResources({ engine, mesh }: Derivations): OutboundClusters {
  return made(engine, { family: 'outboundCluster', schema: ClusterSchema }, (name, located: Audience) => {
    const target = targetNamed(mesh, located, name);
    return target && outboundClusterOf(mesh, located, target);
  });
}

function outboundClusters(
  { engine, mesh, gatewayPorts }: Derivations,
  resources: OutboundClusters,
): ResourceGroup {
  const ofService = engine.family(
    'serviceClusters',
    (audience: Audience, host: string): readonly string[] => {
      const service = mesh.serviceFor(audience, host);
      return service ? outboundTargets(mesh, audience, service).map(targetName) : [];
    },
    deepEqual,
  );
  return group(resources, {
    names: ({ type, audience, targets }) => {
      const services =
        type === 'router'
          ? gatewayServices(mesh, audience, gatewayPorts.get(audience, targets))
          : mesh.reachableServices(audience);
      return services.flatMap(({ hostname }) => ofService.get(audience, hostname));
    },
    owns: (name) => name.startsWith('outbound|'),
    keyOf: ({ locatedAudience }) => [locatedAudience],
  });
}

/** Of a gateway that passes the mesh's TLS on, for every service that it can see. */
function passedClusters({ mesh, gatewayPorts }: Derivations, resources: OutboundClusters): ResourceGroup {
  const passes = ({ type, audience, targets }: View): boolean =>
    type === 'router' &&
    gatewayPorts
      .get(audience, targets)
      .some(({ servers }) => servers.some(({ server }) => passesAutomatically(server)));
  return group(resources, {
    names: (view) => {
      if (!passes(view)) return [];
      return mesh
        .visibleServices(view.audience)
        .flatMap((service) => passedTargets(mesh, view.audience, service).map(targetName));
    },
    owns: (name) => name.startsWith('outbound_.'),
    keyOf: ({ locatedAudience }) => [locatedAudience],
  });
}
