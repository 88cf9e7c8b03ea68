// Gateway (Istio's): https://istio.io/latest/docs/reference/config/networking/gateway/
import { checkIpAddress, checkPort, checkUnixPath, unixPrefix } from '../rules/addresses.ts';
import { checkLabels } from '../rules/labels.ts';
import { checkListenerHost, isDnsLabel } from '../rules/names.ts';
import { isHttp, isKnownProtocol, isTls, protocolNames } from '../rules/protocol.ts';
import {
  field,
  type Infer,
  ignored,
  list,
  mapOf,
  message,
  noEffect,
  type RuleContext,
  string,
  uint32,
} from '../schema/index.ts';
import { ServerTLSSettings } from './server-tls.ts';

export const Port = message('Port', {
  number: field(uint32, 'Listener.address; RouteConfiguration.name'),
  protocol: field(string, 'Listener.filter_chains'),
  name: field(string, 'RouteConfiguration.name of HTTPS servers'),
  targetPort: ignored(uint32, 'refused with a finding, as by Istio'),
});
export type Port = Infer<typeof Port>;

export const Server = message(
  'Server',
  {
    port: Port,
    bind: field(string, 'Listener.address'),
    hosts: field(list(string), 'VirtualHost.domains; FilterChainMatch.server_names'),
    tls: ServerTLSSettings,
    defaultEndpoint: noEffect(string, 'Istio has not implemented it either'),
    name: noEffect(string, 'it would only be part of the names of statistics'),
  },
  {
    rules: [
      ({ port, bind = '', hosts = [], tls }, context) => {
        if (hosts.length === 0)
          context.report('MT0103', ['hosts'], '{} is missing: a server needs at least one host, "*" for any');
        hosts.forEach((host, i) => {
          checkHost(host, ['hosts', i], context);
        });
        if (!port) return context.report('MT0103', ['port'], '{} is missing');
        checkServerPort(port, bind, context);
        checkTlsOfPort(port, tls, context);
      },
    ],
  },
);
export type Server = Infer<typeof Server>;

export const IstioGateway = message(
  'Gateway',
  { servers: list(Server), selector: field(mapOf(string), 'which proxies it is for') },
  {
    rules: [
      ({ servers = [], selector }, context) => {
        if (servers.length === 0)
          context.report('MT0121', ['servers'], '{} is missing: a Gateway needs at least one server');
        if (!isDnsLabel(context.resource.name))
          context.report(
            'MT0009',
            [],
            `the name "${context.resource.name}" is not possible for a Gateway: letters, digits and hyphens only`,
          );
        checkLabels(selector, ['selector'], context);
        servers.forEach(({ port }, i) => {
          const isTwice = port?.name && servers.findIndex((other) => other.port?.name === port.name) < i;
          if (isTwice)
            context.report(
              'MT0116',
              ['servers', i, 'port', 'name'],
              `{}: the port name "${port.name}" is given twice`,
            );
        });
      },
    ],
  },
);
export type IstioGateway = Infer<typeof IstioGateway>;

/** `[namespace/]host` */
function checkHost(text: string, path: readonly (string | number)[], context: RuleContext): void {
  const slash = text.indexOf('/');
  const namespace = text.slice(0, slash);
  if (slash === 0 || slash === text.length - 1) {
    context.report('MT0109', path, `"${text}": write NAMESPACE/HOST or HOST`);
    return;
  }
  const fromGatewayApi = context.resource.annotations['internal.istio.io/gateway-semantics'] === 'gateway';
  const isNamespace =
    namespace === '*' || namespace === '.' || (namespace === '~' && fromGatewayApi) || isDnsLabel(namespace);
  if (slash > 0 && !isNamespace)
    context.report(
      'MT0109',
      path,
      `"${namespace}" is not a namespace; write ".", "*" or a name before the slash`,
    );
  checkListenerHost(text.slice(slash + 1), path, context, { allowIp: true });
}

function checkServerPort(port: Port, bind: string, context: RuleContext): void {
  const at = context.at(['port']);
  const { protocol = '', name, number = 0, targetPort } = port;
  if (!isKnownProtocol(protocol))
    at.report(
      'MT0118',
      ['protocol'],
      protocol
        ? `{}: unknown protocol "${protocol}"; use ${protocolNames}`
        : `{} is missing; use ${protocolNames}`,
    );
  if (!name) at.report('MT0103', ['name'], '{} is missing');
  if (targetPort) at.report('MT0129', ['targetPort'], '{} has no meaning in a Gateway');
  if (!bind.startsWith(unixPrefix)) {
    checkPort(number, ['number'], at);
    if (bind) checkIpAddress(bind, ['bind'], context);
    return;
  }
  checkUnixPath(bind.slice(unixPrefix.length), ['bind'], context);
  if (number !== 0) at.report('MT0131', ['number'], '{} must be 0 for a unix socket');
}

function checkTlsOfPort({ protocol }: Port, tls: ServerTLSSettings | undefined, context: RuleContext): void {
  if (tls?.httpsRedirect && !isHttp(protocol))
    context.report('MT0154', ['tls', 'httpsRedirect'], '{} has an effect on HTTP ports only');
  if (isTls(protocol)) {
    if (!tls) context.report('MT0117', ['tls'], `{} is missing: a port with protocol ${protocol} needs it`);
  } else if (tls && isHttp(protocol)) {
    const isPassthrough =
      tls.mode === undefined || tls.mode === 'PASSTHROUGH' || tls.mode === 'AUTO_PASSTHROUGH';
    const hasCertificates = tls.caCertificates || tls.privateKey || tls.serverCertificate;
    if (!isPassthrough || hasCertificates)
      context.report('MT0117', ['tls'], '{} on a plain HTTP port can have httpsRedirect only');
  } else if (tls)
    context.report(
      'MT0117',
      ['tls'],
      `{} is not possible on a port with protocol ${protocol || '(none)'}; use HTTPS or TLS`,
    );
}
