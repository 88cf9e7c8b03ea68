// What a VirtualService names and the mesh does not have: hosts, ports, subsets, gateways, delegates.
import { at, type Issue } from '../../base/index.ts';
import { catalogue, type Destination, type IssueCode } from '../../config/index.ts';
import { type Client, type Mesh, meshGateway, resolveVirtualService, type VirtualServiceModel } from '../../mesh/index.ts';

type Report = (code: IssueCode, path: string, message: string) => void;

/** Findings about one VirtualService, by `namespace/name`, in the light of all that is in force. */
export function referenceIssues(mesh: Mesh, key: string): readonly Issue[] {
  const object = mesh.store.table('VirtualService').get(key);
  if (!object) return [];
  const { config, domain } = mesh.settings;
  const model = resolveVirtualService(object, { domain, defaultExportTo: config.defaultVirtualServiceExportTo });
  const issues: Issue[] = [];
  const report: Report = (code, path, message) =>
    issues.push({ code, severity: catalogue[code].severity, origin: at(object.origin, path), message });
  checkGateways(mesh, model, report);
  checkDelegates(mesh, model, report);
  for (const { destination, path } of destinationsOf(model)) checkDestination(mesh, model, destination, path, report);
  return issues;
}

function checkGateways(mesh: Mesh, model: VirtualServiceModel, report: Report): void {
  model.gateways.forEach((gateway, index) => {
    if (gateway === meshGateway || mesh.store.table('Gateway').get(gateway)) return;
    report('MT0202', `spec.gateways[${index}]`, `Gateway ${gateway} does not exist`);
  });
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

function checkDestination(
  mesh: Mesh,
  model: VirtualServiceModel,
  { host = '', port, subset }: Destination,
  path: string,
  report: Report,
): void {
  // What some client of the namespace could see: a Sidecar that hides it is none of the rule's business.
  const client: Client = { type: 'router', namespace: model.namespace, labels: {} };
  const service = mesh.serviceFor(client, host);
  if (!service) {
    report('MT0201', `${path}.host`, `host "${host}" is declared by no Service or ServiceEntry that namespace ${model.namespace} can see`);
    return;
  }
  if (port?.number && !service.ports.some((candidate) => candidate.number === port.number)) {
    const known = service.ports.map((candidate) => candidate.number).join(', ');
    report('MT0204', `${path}.port.number`, `${host} has no port ${port.number}; it has ${known || 'none'}`);
  }
  if (!subset) return;
  const subsets = mesh.destinationRules(model.namespace, service).flatMap((rule) => rule.subsets);
  if (subsets.some((candidate) => candidate.name === subset)) return;
  const known = subsets.map((candidate) => candidate.name).join(', ');
  report(
    'MT0203',
    `${path}.subset`,
    `subset "${subset}" of ${host} is not declared by any DestinationRule${known ? ` (subsets: ${known})` : ''}`,
  );
}

interface Named {
  readonly destination: Destination;
  readonly path: string;
}

function destinationsOf(model: VirtualServiceModel): readonly Named[] {
  const targets = (['http', 'tls', 'tcp'] as const).flatMap((list) =>
    model[list].flatMap((rule, i) =>
      (rule.route ?? []).flatMap(({ destination }, j) =>
        destination ? [{ destination, path: `spec.${list}[${i}].route[${j}].destination` }] : [],
      ),
    ),
  );
  const mirrors = model.http.flatMap((rule, i) => [
    ...(rule.mirror ? [{ destination: rule.mirror, path: `spec.http[${i}].mirror` }] : []),
    ...(rule.mirrors ?? []).flatMap(({ destination }, j) =>
      destination ? [{ destination, path: `spec.http[${i}].mirrors[${j}].destination` }] : [],
    ),
  ]);
  return [...targets, ...mirrors];
}
