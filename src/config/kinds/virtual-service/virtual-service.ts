// VirtualService: https://istio.io/latest/docs/reference/config/networking/virtual-service/
import { isIpAddress } from '../../rules/addresses.ts';
import { checkExportTo } from '../../rules/export-to.ts';
import { hostsOverlap, isSubsetOf, wildcardDomainProblem } from '../../rules/names.ts';
import { field, type Infer, list, message, type RuleContext, string } from '../../schema/index.ts';
import { checkGatewayName, meshGateway } from './gateway-name.ts';
import { checkAction, HTTPRoute } from './http-route.ts';
import { isSniForm, TCPRoute, TLSRoute } from './l4-route.ts';
import { warnUnreachable } from './unreachable-rules.ts';

export const VirtualService = message(
  'VirtualService',
  {
    hosts: field(list(string), 'VirtualHost.domains; FilterChainMatch.server_names of gateways'),
    gateways: field(list(string), 'which listeners have the routes'),
    http: list(HTTPRoute),
    tls: list(TLSRoute),
    tcp: list(TCPRoute),
    exportTo: field(list(string), 'which proxies get the routes'),
  },
  {
    rules: [
      (service, context) => {
        const { hosts = [], gateways = [], http = [], tls = [], tcp = [], exportTo } = service;
        gateways.forEach((name, i) => {
          checkGatewayName(name, ['gateways', i], context);
        });
        checkHosts(hosts, gateways, context);
        if (http.length + tls.length + tcp.length === 0)
          context.report('MT0121', [], 'a VirtualService needs http, tls or tcp rules');
        if (hosts.length === 0) checkDelegate(service, context);
        http.forEach((route, i) => {
          checkAction(route, hosts.length === 0, context.at(['http', i]));
        });
        checkClaims(http, gateways, context);
        tls.forEach((route, i) => {
          checkSniHosts(route, hosts, context.at(['tls', i]));
        });
        warnUnreachable(http, context);
        checkExportTo(exportTo, context);
      },
    ],
  },
);
export type VirtualService = Infer<typeof VirtualService>;

function checkHosts(hosts: readonly string[], gateways: readonly string[], context: RuleContext): void {
  const isForMesh = gateways.length === 0 || gateways.includes(meshGateway);
  const problems = hosts.map((host) => hostProblem(host, isForMesh));
  problems.forEach((problem, i) => {
    problem && context.report('MT0109', ['hosts', i], problem);
  });
  hosts.forEach((host, i) => {
    if (host === '*' && isForMesh)
      context.report(
        'MT0127',
        ['hosts', i],
        '{} cannot be * for the mesh: name the hosts, or bind the VirtualService to gateways only',
      );
  });
  if (problems.some((problem) => problem !== undefined)) return;
  checkOverlap(hosts, context);
}

/**
 * Equal names, or one under the other's wildcard. Names without wildcard are found by hash, since there may
 * be thousands.
 */
function checkOverlap(hosts: readonly string[], context: RuleContext): void {
  const names = new Set<string>();
  const wildcards: string[] = [];
  for (const [i, host] of hosts.entries()) {
    const isWildcard = host.startsWith('*');
    const equal = names.has(host) ? host : undefined;
    const other =
      equal ?? (isWildcard ? [...names] : wildcards).find((earlier) => hostsOverlap(earlier, host));
    if (other !== undefined) context.report('MT0116', ['hosts', i], `"${host}" and "${other}" overlap`);
    names.add(host);
    if (isWildcard) wildcards.push(host);
  }
}

function hostProblem(host: string, isForMesh: boolean): string | undefined {
  if (isIpAddress(host) || (!isForMesh && isSniForm(host))) return undefined;
  return wildcardDomainProblem(host);
}

/** A VirtualService without hosts is there to be delegated to. */
function checkDelegate(
  service: { gateways?: readonly string[]; tls?: readonly unknown[]; tcp?: readonly unknown[] },
  context: RuleContext,
): void {
  for (const name of ['gateways', 'tls', 'tcp'] as const) {
    if ((service[name] ?? []).length > 0)
      context.report(
        'MT0126',
        [name],
        '{} is not possible in a VirtualService without hosts, which is one to delegate to',
      );
  }
}

/** Claims are read from a token that only gateways check. */
function checkClaims(http: readonly HTTPRoute[], gateways: readonly string[], context: RuleContext): void {
  if (gateways.some((name) => name !== meshGateway)) return;
  http.forEach(({ match = [] }, i) => {
    match.forEach((item, j) => {
      for (const name of ['headers', 'withoutHeaders'] as const) {
        const claim = Object.keys(item[name] ?? {}).find((key) => key.startsWith('@request.auth.claims'));
        if (claim)
          context.report(
            'MT0120',
            ['http', i, 'match', j, name, claim],
            'routing by a JWT claim works at gateways only: bind the VirtualService to one',
          );
      }
    });
  });
}

function checkSniHosts(route: TLSRoute, hosts: readonly string[], context: RuleContext): void {
  route.match?.forEach(({ sniHosts = [] }, i) => {
    sniHosts.forEach((sni, j) => {
      if (!isIpAddress(sni) && !hosts.some((host) => isSubsetOf(sni, host)))
        context.report(
          'MT0109',
          ['match', i, 'sniHosts', j],
          `"${sni}" is not covered by the hosts of the VirtualService`,
        );
    });
  });
}
