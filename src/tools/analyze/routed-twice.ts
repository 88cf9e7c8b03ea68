// Two VirtualServices for one host of the mesh: rules are not merged at sidecars, the one that is tried first
// is the only one.
// https://istio.io/latest/docs/ops/best-practices/traffic-management/#split-virtual-services

import { meshGateway, type VirtualServiceModel } from '../../mesh/index.ts';
import { isWildcard, keyOf } from '../../registry/index.ts';
import type { Check } from './check.ts';

export const routedTwice: Check<'VirtualService'> = {
  kind: 'VirtualService',
  check: (mesh, { metadata, spec }, report) => {
    const own = mesh.virtualService(keyOf({ metadata }));
    if (!own?.gateways.includes(meshGateway)) return;
    const [everything] = mesh.scope({ type: 'router', namespace: own.namespace, labels: {} }).egress;
    if (!everything) return;
    own.hosts.forEach((host, i) => {
      if (isWildcard(host)) return;
      const tried = mesh.virtualServicesNaming(own.namespace, everything, host);
      const first = tried
        .slice(
          0,
          tried.findIndex(({ key }) => key === own.key),
        )
        .find((rival) => hides(rival, own));
      if (first)
        report(
          'MT0207',
          `spec.hosts[${i}]`,
          `its rules for ${spec.hosts?.[i]} have no effect: VirtualService ${first.key} for the same host is tried first, and only one counts in the mesh; put the rules into one`,
        );
    });
  },
};

/** Whether every client that sees `own` is served by the rival alone. */
function hides(rival: VirtualServiceModel, own: VirtualServiceModel): boolean {
  const sameClients =
    rival.visibility.kind === own.visibility.kind &&
    rival.visibility.namespaces.join() === own.visibility.namespaces.join();
  const isForAll = [...rival.http, ...rival.tls, ...rival.tcp].some(isForEveryClient);
  const sameTraffic = (['http', 'tls', 'tcp'] as const).some(
    (list) => rival[list].length > 0 && own[list].length > 0,
  );
  return sameClients && isForAll && sameTraffic;
}

type AnyRule =
  | VirtualServiceModel['http'][number]
  | VirtualServiceModel['tls'][number]
  | VirtualServiceModel['tcp'][number];

/** A rule for some clients only leaves the others to the next VirtualService. */
function isForEveryClient({ match }: AnyRule): boolean {
  if (!match?.length) return true;
  return match.some(({ sourceLabels, sourceNamespace, gateways }) => {
    return (
      Object.keys(sourceLabels ?? {}).length === 0 &&
      !sourceNamespace &&
      (!gateways?.length || gateways.includes(meshGateway))
    );
  });
}
