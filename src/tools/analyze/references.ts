// What a VirtualService names and the mesh does not have: hosts, ports, subsets, gateways, delegates.
import type { Destination, VirtualService } from '../../config/index.ts';
import { type Mesh, meshGateway, resolveVirtualService, type VirtualServiceModel } from '../../mesh/index.ts';
import { covers } from '../../registry/index.ts';
import { fullName, sameNameElsewhere, seenFrom } from './anyone.ts';
import type { Check, Report } from './check.ts';

export const references: Check<'VirtualService'> = {
  kind: 'VirtualService',
  check: (mesh, object, report) => {
    const { config, domain } = mesh.settings;
    const model = resolveVirtualService(object, {
      domain,
      defaultExportTo: config.defaultVirtualServiceExportTo,
    });
    checkGateways(mesh, model, report);
    checkDelegates(mesh, model, report);
    const written = destinationsOf(object.spec);
    for (const [i, named] of destinationsOf(model).entries())
      checkDestination({ mesh, model, written: written[i]?.destination.host ?? '' }, named, report);
  },
};

function checkGateways(mesh: Mesh, model: VirtualServiceModel, report: Report): void {
  model.gateways.forEach((gateway, index) => {
    if (gateway === meshGateway || mesh.store.table('Gateway').get(gateway)) return;
    report(
      'MT0202',
      `spec.gateways[${index}]`,
      `Gateway ${gateway} does not exist${sameGatewayElsewhere(mesh, gateway)}`,
    );
  });
}

function sameGatewayElsewhere(mesh: Mesh, gateway: string): string {
  const name = gateway.slice(gateway.indexOf('/'));
  const others = mesh.store
    .table('Gateway')
    .keys()
    .filter((key) => key.endsWith(name));
  return others.length === 0 ? '' : `; there is ${others.join(' and ')}`;
}

function checkDelegates(mesh: Mesh, model: VirtualServiceModel, report: Report): void {
  model.http.forEach((rule, index) => {
    if (!rule.delegate) return;
    const key = `${rule.delegate.namespace ?? model.namespace}/${rule.delegate.name ?? ''}`;
    const delegate = mesh.store.table('VirtualService').get(key);
    if (delegate && !delegate.spec.hosts?.length) return;
    const why = delegate ? 'has hosts of its own, so it cannot be a delegate' : 'does not exist';
    report('MT0205', `spec.http[${index}].delegate`, `VirtualService ${key} ${why}; the rule is left out`);
  });
}

interface Place {
  readonly mesh: Mesh;
  readonly model: VirtualServiceModel;
  /** The host as the user wrote it. */
  readonly written: string;
}

function checkDestination(
  { mesh, model, written }: Place,
  { destination, path }: Named,
  report: Report,
): void {
  const { host = '', port, subset } = destination;
  const { namespace } = model;
  const service = seenFrom(mesh, namespace, host);
  if (!service) {
    const hint = sameNameElsewhere(mesh, written, namespace);
    report(
      'MT0201',
      `${path}.host`,
      `host "${host}" is declared by no Service or ServiceEntry that namespace ${namespace} can see${hint}`,
    );
    return;
  }
  if (port?.number && !service.ports.some((candidate) => candidate.number === port.number)) {
    const known = service.ports.map((candidate) => candidate.number).join(', ');
    report('MT0204', `${path}.port.number`, `${host} has no port ${port.number}; it has ${known || 'none'}`);
  }
  if (!subset) return;
  const meant = mesh.clusterHost({ type: 'router', namespace, labels: {} }, host);
  const subsets = mesh
    .destinationRules(namespace, service)
    .flatMap((rule) => rule.subsets.map(({ name }) => name));
  if (subsets.includes(subset) || isDeclaredForOthers(mesh, meant, subset)) return;
  const known = subsets.length > 0 ? ` (subsets: ${subsets.join(', ')})` : '';
  report(
    'MT0203',
    `${path}.subset`,
    `subset "${subset}" of ${host} is not declared by any DestinationRule${known}`,
  );
}

/** By a rule that is for other namespaces or workloads: the VirtualService may be for them. */
function isDeclaredForOthers(mesh: Mesh, host: string, subset: string): boolean {
  return mesh.store
    .table('DestinationRule')
    .values()
    .some(
      ({ metadata, spec }) =>
        spec.subsets?.some(({ name }) => name === subset) &&
        covers(fullName(mesh, spec.host ?? '', metadata.namespace), host),
    );
}

interface Named {
  readonly destination: Destination;
  readonly path: string;
}

function destinationsOf(model: Pick<VirtualService, 'http' | 'tls' | 'tcp'>): readonly Named[] {
  const targets = (['http', 'tls', 'tcp'] as const).flatMap((list) =>
    (model[list] ?? []).flatMap((rule, i) =>
      (rule.route ?? []).flatMap(({ destination }, j) =>
        destination ? [{ destination, path: `spec.${list}[${i}].route[${j}].destination` }] : [],
      ),
    ),
  );
  const mirrors = (model.http ?? []).flatMap((rule, i) => [
    ...(rule.mirror ? [{ destination: rule.mirror, path: `spec.http[${i}].mirror` }] : []),
    ...(rule.mirrors ?? []).flatMap(({ destination }, j) =>
      destination ? [{ destination, path: `spec.http[${i}].mirrors[${j}].destination` }] : [],
    ),
  ]);
  return [...targets, ...mirrors];
}
