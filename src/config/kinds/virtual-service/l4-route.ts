// TLSRoute and TCPRoute: rules for connections.
import { checkOptionalPort, checkSubnet, isIpAddress } from '../../rules/addresses.ts';
import { checkLabels } from '../../rules/labels.ts';
import { checkWildcardDomain, isDnsLabel } from '../../rules/names.ts';
import { checkWeights } from '../../rules/weights.ts';
import {
  field,
  type Infer,
  int32,
  list,
  mapOf,
  message,
  noEffect,
  type RuleContext,
  required,
  string,
  uint32,
} from '../../schema/index.ts';
import { Destination, type Labels } from '../shared.ts';
import { checkGatewayName } from './gateway-name.ts';

export const RouteDestination = message('RouteDestination', {
  destination: required(Destination),
  weight: field(int32, 'TcpProxy.WeightedCluster.ClusterWeight.weight'),
});
export type RouteDestination = Infer<typeof RouteDestination>;

export const L4MatchAttributes = message(
  'L4MatchAttributes',
  {
    destinationSubnets: field(list(string), 'FilterChainMatch.prefix_ranges'),
    port: field(uint32, 'decided while translating: which listeners have the route'),
    sourceSubnet: noEffect(string, 'Istio has not implemented it either'),
    sourceLabels: field(mapOf(string), 'decided while translating: which listeners have the route'),
    gateways: field(list(string), 'decided while translating: which listeners have the route'),
    sourceNamespace: field(string, 'decided while translating: which listeners have the route'),
  },
  {
    rules: [
      (match, context) => {
        checkConnection(match, context);
        if (match.sourceSubnet) checkSubnet(match.sourceSubnet, ['sourceSubnet'], context);
      },
    ],
  },
);
export type L4MatchAttributes = Infer<typeof L4MatchAttributes>;

export const TLSMatchAttributes = message(
  'TLSMatchAttributes',
  {
    sniHosts: field(list(string), 'FilterChainMatch.server_names'),
    destinationSubnets: field(list(string), 'FilterChainMatch.prefix_ranges'),
    port: field(uint32, 'decided while translating: which listeners have the route'),
    sourceLabels: field(mapOf(string), 'decided while translating: which listeners have the route'),
    gateways: field(list(string), 'decided while translating: which listeners have the route'),
    sourceNamespace: field(string, 'decided while translating: which listeners have the route'),
  },
  {
    rules: [
      (match, context) => {
        checkConnection(match, context);
        if ((match.sniHosts ?? []).length === 0)
          context.report('MT0103', ['sniHosts'], '{} is missing: name the hosts of the TLS handshake');
        match.sniHosts?.forEach((host, i) => {
          checkSniHost(host, ['sniHosts', i], context);
        });
      },
    ],
  },
);
export type TLSMatchAttributes = Infer<typeof TLSMatchAttributes>;

export const TLSRoute = message(
  'TLSRoute',
  { match: list(TLSMatchAttributes), route: list(RouteDestination) },
  {
    rules: [
      ({ match = [], route = [] }, context) => {
        if (match.length === 0)
          context.report(
            'MT0103',
            ['match'],
            '{} is missing: a TLS route needs at least one match with sniHosts',
          );
        checkDestinations(route, context);
      },
    ],
  },
);
export type TLSRoute = Infer<typeof TLSRoute>;

export const TCPRoute = message(
  'TCPRoute',
  { match: list(L4MatchAttributes), route: list(RouteDestination) },
  { rules: [({ route = [] }, context) => checkDestinations(route, context)] },
);
export type TCPRoute = Infer<typeof TCPRoute>;

function checkDestinations(route: readonly RouteDestination[], context: RuleContext): void {
  if (route.length === 0) context.report('MT0107', ['route'], '{} is missing: the rule has nothing to do');
  checkWeights(route, ['route'], context);
}

interface ConnectionMatch {
  readonly destinationSubnets?: readonly string[];
  readonly port?: number;
  readonly sourceLabels?: Labels;
  readonly gateways?: readonly string[];
  readonly sourceNamespace?: string;
}

function checkConnection(match: ConnectionMatch, context: RuleContext): void {
  match.destinationSubnets?.forEach((subnet, i) => {
    checkSubnet(subnet, ['destinationSubnets', i], context);
  });
  checkOptionalPort(match.port, ['port'], context);
  checkLabels(match.sourceLabels, ['sourceLabels'], context);
  match.gateways?.forEach((name, i) => {
    checkGatewayName(name, ['gateways', i], context);
  });
  if (match.sourceNamespace && !isDnsLabel(match.sourceNamespace))
    context.report('MT0109', ['sourceNamespace'], 'this is not the name of a namespace');
}

/** RFC 6066, 3: literal addresses are not permitted in the server name. */
function checkSniHost(host: string, path: readonly (string | number)[], context: RuleContext): void {
  if (isIpAddress(host))
    context.report('MT0154', path, `{}: clients send no SNI for an IP address such as ${host}`);
  else if (!isSniForm(host)) checkWildcardDomain(host, path, context);
}

/** `outbound_.80_.v1_.host`, the SNI between gateways of one mesh. */
export function isSniForm(host: string): boolean {
  return /^outbound_\.\d+_\.[^.]*_\..+$/.test(host);
}
