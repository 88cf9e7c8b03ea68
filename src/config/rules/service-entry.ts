// ServiceEntry: how hosts, addresses, ports and endpoints must fit its resolution.
import type { RuleContext } from '../schema/index.ts';
import {
  checkOptionalPort,
  checkPort,
  checkSubnet,
  checkUnixPath,
  isCidr,
  isIpAddress,
  unixPrefix,
} from './addresses.ts';
import { domainProblem, isDnsLabel, isPartialWildcard, wildcardDomainProblem } from './names.ts';
import { isHttp, isKnownProtocol, isTcp, isTls, protocolNames } from './protocol.ts';

interface Entry {
  readonly hosts?: readonly string[];
  readonly addresses?: readonly string[];
  readonly ports?: readonly Port[];
  readonly location?: string;
  readonly resolution?: string;
  readonly endpoints?: readonly Endpoint[];
  readonly workloadSelector?: unknown;
}

interface Port {
  readonly number?: number;
  readonly protocol?: string;
  readonly name?: string;
  readonly targetPort?: number;
}

interface Endpoint {
  readonly address?: string;
  readonly network?: string;
  readonly ports?: Readonly<Record<string, number>>;
}

export function checkServiceHosts(
  { hosts = [], resolution, endpoints = [], workloadSelector }: Entry,
  context: RuleContext,
): void {
  if (hosts.length === 0)
    context.report('MT0103', ['hosts'], '{} is missing: a ServiceEntry needs at least one host');
  const needsNames =
    (resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN') && endpoints.length === 0 && !workloadSelector;
  hosts.forEach((host, i) => {
    const problem = wildcardDomainProblem(host);
    if (host === '*') context.report('MT0127', ['hosts', i], '{} cannot be *');
    else if (problem) context.report('MT0109', ['hosts', i], problem);
    else if (needsNames && host.includes('*'))
      context.report(
        'MT0127',
        ['hosts', i],
        `{}: "${host}" cannot be looked up; with resolution ${resolution} name the host or give endpoints`,
      );
    else if (resolution === 'DYNAMIC_DNS' && !host.startsWith('*'))
      context.report('MT0127', ['hosts', i], '{} must be a wildcard for resolution DYNAMIC_DNS');
    else if (isPartialWildcard(host) && resolution !== 'DYNAMIC_DNS')
      context.report('MT0156', ['hosts', i], `"${host}" is a partial wildcard; write *. and a domain`);
  });
}

export function checkServiceAddresses(
  { addresses = [], resolution = 'NONE' }: Entry,
  context: RuleContext,
): void {
  addresses.forEach((address, i) => {
    checkSubnet(address, ['addresses', i], context);
    if (isCidr(address) && resolution !== 'NONE' && resolution !== 'STATIC') {
      context.report(
        'MT0119',
        ['addresses', i],
        `{}: a CIDR block is possible for resolution NONE and STATIC only, not ${resolution}`,
      );
    }
  });
  if (addresses.length > 0 && resolution === 'DYNAMIC_DNS')
    context.report('MT0108', ['addresses'], '{} cannot stand beside resolution DYNAMIC_DNS');
}

export function checkServicePorts(
  { ports = [], hosts = [], resolution = 'NONE', location }: Entry,
  context: RuleContext,
): void {
  ports.forEach((port, i) => {
    const at = context.at(['ports', i]);
    checkPort(port.number, ['number'], at);
    checkOptionalPort(port.targetPort, ['targetPort'], at);
    if (!isDnsLabel(port.name ?? ''))
      at.report(
        'MT0109',
        ['name'],
        port.name ? `"${port.name}" is not possible as the name of a port` : '{} is missing',
      );
    if (port.protocol && !isKnownProtocol(port.protocol))
      at.report('MT0118', ['protocol'], `{}: unknown protocol "${port.protocol}"; use ${protocolNames}`);
    if (ports.findIndex((other) => other.name === port.name) < i)
      at.report('MT0116', ['name'], `{}: the name "${port.name}" is given twice`);
    if (ports.findIndex((other) => other.number === port.number) < i)
      at.report('MT0116', ['number'], `{}: the port ${port.number} is given twice`);
    checkPortProtocol(port, { hosts, resolution }, at);
  });
  if (
    resolution === 'DYNAMIC_DNS' &&
    location === 'MESH_INTERNAL' &&
    context.resource.labels['istio.io/use-waypoint']
  ) {
    context.report(
      'MT0108',
      ['location'],
      '{}: MESH_INTERNAL and resolution DYNAMIC_DNS do not go together at a waypoint',
    );
  }
}

function checkPortProtocol(
  { protocol }: Port,
  { hosts, resolution }: { hosts: readonly string[]; resolution: string },
  context: RuleContext,
): void {
  if (resolution === 'DYNAMIC_DNS') {
    const isPossible = isTls(protocol) || ['http', 'http2', 'grpc'].includes((protocol ?? '').toLowerCase());
    if (!isPossible)
      context.report(
        'MT0118',
        ['protocol'],
        '{} must be HTTP, HTTP2, GRPC, TLS or HTTPS for resolution DYNAMIC_DNS',
      );
  } else if (resolution !== 'NONE' && hosts.length > 1 && !isHttp(protocol) && !isTls(protocol)) {
    context.report(
      'MT0118',
      ['protocol'],
      '{} must be HTTP or TLS of some kind where one entry has several hosts: nothing else tells them apart; use an entry for each host',
    );
  }
}

export function checkServiceEndpoints(entry: Entry, context: RuleContext): void {
  const { endpoints = [], resolution = 'NONE', ports = [] } = entry;
  if (endpoints.length > 0 && (resolution === 'NONE' || resolution === 'DYNAMIC_DNS')) {
    context.report(
      'MT0108',
      ['endpoints'],
      `{} cannot stand beside resolution ${resolution}; use STATIC for addresses, DNS for names`,
    );
  }
  if (resolution === 'DNS_ROUND_ROBIN' && endpoints.length > 1)
    context.report('MT0108', ['endpoints'], '{}: resolution DNS_ROUND_ROBIN takes one endpoint at most');
  endpoints.forEach((endpoint, i) => {
    const at = context.at(['endpoints', i]);
    for (const name of Object.keys(endpoint.ports ?? {})) {
      if (!ports.some((port) => port.name === name))
        at.report('MT0109', ['ports', name], `{}: the entry has no port named "${name}"`);
    }
    checkEndpointAddress(endpoint, { resolution, ports: ports.length }, at);
  });
}

function checkEndpointAddress(
  { address = '', network, ports = {} }: Endpoint,
  entry: { resolution: string; ports: number },
  context: RuleContext,
): void {
  if (address === '') {
    if (network) context.report('MT0157', [], `{} has no address, only the network "${network}"`);
    else context.report('MT0103', ['address'], '{} is missing');
  } else if (address.startsWith(unixPrefix) && entry.resolution === 'STATIC') {
    checkUnixPath(address.slice(unixPrefix.length), ['address'], context);
    if (Object.keys(ports).length > 0)
      context.report('MT0119', ['ports'], '{} cannot stand beside the address of a unix socket');
    if (entry.ports !== 1)
      context.report('MT0119', ['address'], '{}: an entry with a unix socket has exactly one port');
  } else if (entry.resolution === 'STATIC') {
    if (!isIpAddress(address))
      context.report(
        'MT0119',
        ['address'],
        `"${address}" is not an IP address; for a name use resolution DNS`,
      );
  } else if (!isIpAddress(address) && domainProblem(address))
    context.report('MT0119', ['address'], `"${address}" is neither an IP address nor a DNS name`);
}

export function warnServiceEntry(
  { addresses = [], ports = [], hosts = [], resolution = 'NONE', workloadSelector }: Entry,
  context: RuleContext,
): void {
  if (workloadSelector && resolution === 'NONE')
    context.report('MT0154', ['workloadSelector'], '{} has no effect with resolution NONE');
  const isPlainTcp = (port: Port): boolean =>
    !port.protocol || (isTcp(port.protocol) && !isTls(port.protocol));
  if (
    addresses.length === 0 &&
    (resolution === 'NONE' || resolution === 'STATIC') &&
    ports.some(isPlainTcp)
  ) {
    context.report('MT0157', [], 'a port without HTTP or TLS is told apart by its address: give addresses');
  }
  if (
    resolution === 'DNS' &&
    addresses.length > 0 &&
    hosts.length > 1 &&
    ports.some((port) => isTcp(port.protocol))
  ) {
    context.report(
      'MT0154',
      ['hosts'],
      '{}: several hosts share the addresses; connections to TCP ports all go to the first',
    );
  }
}
