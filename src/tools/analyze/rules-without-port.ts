// Rules of a kind that none of a host's ports, or of a Gateway's servers, can follow: HTTP rules where bytes
// are TCP or stay encrypted.
import type { Server } from '../../config/index.ts';
import { type Mesh, meshGateway, resolveVirtualService, type VirtualServiceModel } from '../../mesh/index.ts';
import { covers, isHttp, isTls, isWildcard, type Protocol, parseProtocol } from '../../registry/index.ts';
import { seenFrom } from './anyone.ts';
import type { Check, Report } from './check.ts';

export const rulesWithoutPort: Check<'VirtualService'> = {
  kind: 'VirtualService',
  check: (mesh, object, report) => {
    const { domain, config } = mesh.settings;
    const model = resolveVirtualService(object, {
      domain,
      defaultExportTo: config.defaultVirtualServiceExportTo,
    });
    if (model.gateways.includes(meshGateway)) checkHosts(mesh, model, report);
    model.gateways.forEach((gateway, i) => {
      const servers =
        mesh.store
          .table('Gateway')
          .get(gateway)
          ?.spec.servers?.filter((server) => isFor(server, model)) ?? [];
      if (model.http.length === 0 || servers.length === 0 || servers.some(servesHttp)) return;
      const why = servers.some(passesTlsOn)
        ? 'passes TLS on without reading it; route by tls rules'
        : 'carries TCP; route by tcp rules';
      report(
        'MT0405',
        `spec.gateways[${i}]`,
        `the http rules have no effect at Gateway ${gateway}: its server for these hosts ${why}`,
      );
    });
  },
};

function checkHosts(mesh: Mesh, model: VirtualServiceModel, report: Report): void {
  model.hosts.forEach((host, i) => {
    const ports = isWildcard(host) ? [] : (seenFrom(mesh, model.namespace, host)?.ports ?? []);
    const protocols = ports.map(({ protocol }) => protocol).filter((protocol) => protocol !== 'udp');
    if (protocols.length === 0) return;
    const named = ports
      .map(({ number, name, protocol }) => `${number} ("${name}") is ${words(protocol)}`)
      .join(', ');
    if (
      model.http.length > 0 &&
      !protocols.some(canBeHttp) &&
      !ports.some(({ number }) => isHttpForSidecars(mesh, number))
    )
      report(
        'MT0405',
        `spec.hosts[${i}]`,
        `the http rules have no effect for ${host}: port ${named} by its name`,
      );
    if (model.http.length === 0 && model.tcp.length > 0 && protocols.every(isHttp))
      report(
        'MT0405',
        `spec.hosts[${i}]`,
        `the tcp rules have no effect for ${host}: port ${named} by its name; write http rules`,
      );
  });
}

function canBeHttp(protocol: Protocol): boolean {
  return isHttp(protocol) || protocol === 'auto';
}

/** A Sidecar's listener has a protocol of its own. */
function isHttpForSidecars(mesh: Mesh, number: number): boolean {
  const listeners = mesh.store
    .table('Sidecar')
    .values()
    .flatMap(({ spec }) => spec.egress ?? []);
  return listeners.some(({ port }) => port?.number === number && isHttp(parseProtocol(port.protocol)));
}

function words(protocol: Protocol): string {
  return protocol === 'unsupported' ? 'TCP' : protocol.toUpperCase();
}

function isFor({ hosts }: Server, model: VirtualServiceModel): boolean {
  const names = (hosts ?? []).map((host) => host.slice(host.indexOf('/') + 1).toLowerCase());
  return names.some((name) => model.hosts.some((host) => covers(name, host) || covers(host, name)));
}

function servesHttp(server: Server): boolean {
  const protocol = parseProtocol(server.port?.protocol);
  return isHttp(protocol) || (protocol === 'https' && !passesTlsOn(server));
}

function passesTlsOn({ port, tls }: Server): boolean {
  return (
    isTls(parseProtocol(port?.protocol)) && (tls?.mode === 'PASSTHROUGH' || tls?.mode === 'AUTO_PASSTHROUGH')
  );
}
