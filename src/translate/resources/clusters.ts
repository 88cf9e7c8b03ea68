// Clusters: a few that every proxy has, those of the ports that a workload serves, and those of the services
// that a proxy can reach.
import { type Cluster, ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { deepEqual, type Family } from '../../base/index.ts';
import { type Audience, type Mesh, passesAutomatically } from '../../mesh/index.ts';
import { gatewayServices } from '../clusters/gateway-services.ts';
import { inboundCluster } from '../clusters/inbound.ts';
import { outboundClusterOf } from '../clusters/outbound.ts';
import { allowAnyDynamicDns, blackHole, inboundPassthrough, passthrough } from '../clusters/static.ts';
import { outboundTargets, passedTargets, targetName, targetNamed } from '../clusters/target.ts';
import { type EncodedResource, encodeResource, sameResource } from '../encoded-resource.ts';
import { inboundClusterName } from '../listeners/inbound.ts';
import type { InboundPlan } from '../listeners/inbound-plan.ts';
import {
  blackHoleCluster,
  dynamicDnsCluster,
  inboundPassthroughCluster,
  passthroughCluster,
} from '../names.ts';
import { undeclaredPolicy } from '../routes/sidecar-routes.ts';
import type { View } from '../view.ts';
import { type Derivations, groupedKind, type ResourceGroup, type ResourceKind } from './resource-kind.ts';

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
  const resources = engine.family(
    'fixedCluster',
    (name: string) => encodedCluster(name, fixed[name]?.(mesh)),
    sameResource,
  );
  return {
    names: ({ type, audience }) => {
      if (type === 'router') return [blackHoleCluster];
      const lookedUp = undeclaredPolicy(mesh, audience) === 'look-up' ? [dynamicDnsCluster] : [];
      return [blackHoleCluster, inboundPassthroughCluster, passthroughCluster, ...lookedUp];
    },
    owns: (name) => fixed[name] !== undefined,
    resource: (_view, name) => resources.at(name),
  };
}

/** To the application beside a sidecar. */
function inboundClusters({ engine, mesh }: Derivations): ResourceGroup {
  const resources = engine.family(
    'inboundCluster',
    (inbound: InboundPlan | undefined, name: string) => {
      const own = inbound?.ports.find((port) => inboundClusterName(port.port) === name);
      return encodedCluster(name, own && inboundCluster(own, mesh.settings));
    },
    sameResource,
  );
  return {
    names: ({ inbound }) => inbound?.ports.map((port) => inboundClusterName(port.port)) ?? [],
    owns: (name) => name.startsWith('inbound|'),
    resource: ({ inbound }, name) => resources.at(inbound, name),
  };
}

type OutboundResources = Family<[located: Audience, name: string], EncodedResource | undefined>;

function outboundResources({ engine, mesh }: Derivations): OutboundResources {
  return engine.family(
    'outboundCluster',
    (located, name) => {
      const target = targetNamed(mesh, located, name);
      return encodedCluster(name, target && outboundClusterOf(mesh, located, target));
    },
    sameResource,
  );
}

function outboundClusters(
  { engine, mesh, gatewayPorts }: Derivations,
  resources: OutboundResources,
): ResourceGroup {
  const ofService = engine.family(
    'serviceClusters',
    (audience: Audience, host: string): readonly string[] => {
      const service = mesh.serviceFor(audience, host);
      return service ? outboundTargets(mesh, audience, service).map(targetName) : [];
    },
    deepEqual,
  );
  return {
    names: ({ type, audience, targets }) => {
      const services =
        type === 'router'
          ? gatewayServices(mesh, audience, gatewayPorts.get(audience, targets))
          : mesh.reachableServices(audience);
      return services.flatMap(({ hostname }) => ofService.get(audience, hostname));
    },
    owns: (name) => name.startsWith('outbound|'),
    resource: ({ locatedAudience }, name) => resources.at(locatedAudience, name),
  };
}

/** Of a gateway that passes the mesh's TLS on, for every service that it can see. */
function passedClusters({ mesh, gatewayPorts }: Derivations, resources: OutboundResources): ResourceGroup {
  const passes = ({ type, audience, targets }: View): boolean =>
    type === 'router' &&
    gatewayPorts
      .get(audience, targets)
      .some(({ servers }) => servers.some(({ server }) => passesAutomatically(server)));
  return {
    names: (view) => {
      if (!passes(view)) return [];
      return mesh
        .visibleServices(view.audience)
        .flatMap((service) => passedTargets(mesh, view.audience, service).map(targetName));
    },
    owns: (name) => name.startsWith('outbound_.'),
    resource: ({ locatedAudience }, name) => resources.at(locatedAudience, name),
  };
}

function encodedCluster(name: string, cluster: Cluster | undefined): EncodedResource | undefined {
  return cluster && encodeResource(ClusterSchema, name, cluster);
}
