// Sidecar: listeners of one workload, in and out.
import type { Path, RuleContext } from '../schema/index.ts';
import { checkIpAddress, checkPort, checkUnixPath, unixPrefix } from './addresses.ts';
import { checkDomain, checkListenerHost, isDnsLabel, isSubsetOf } from './names.ts';
import { isHttp, isKnownProtocol, isTls, protocolNames } from './protocol.ts';

interface Port {
  readonly number?: number;
  readonly protocol?: string;
  readonly name?: string;
  readonly targetPort?: number;
}

interface Egress {
  readonly port?: Port;
  readonly bind?: string;
  readonly captureMode?: string;
  readonly hosts?: readonly string[];
}

interface Ingress {
  readonly port?: Port;
  readonly bind?: string;
  readonly defaultEndpoint?: string;
  readonly tls?: IngressTls;
  readonly connectionPool?: { readonly http?: unknown };
}

interface IngressTls {
  readonly httpsRedirect?: boolean;
  readonly mode?: string;
  readonly subjectAltNames?: readonly string[];
  readonly credentialName?: string;
  readonly credentialNames?: readonly string[];
  readonly tlsCertificates?: readonly unknown[];
}

export function checkIngress(ingress: Ingress, context: RuleContext): void {
  const { port, bind = '', defaultEndpoint, tls, connectionPool } = ingress;
  if (!port) {
    context.report('MT0103', ['port'], '{} is missing');
    return;
  }
  checkListenerPort(port, context.at(['port']), { isUnix: false });
  if (bind) checkIpAddress(bind, ['bind'], context);
  if (defaultEndpoint) checkDefaultEndpoint(defaultEndpoint, ['defaultEndpoint'], context);
  if (tls) checkIngressTls(tls, port, context.at(['tls']));
  if (connectionPool?.http && !isHttp(port.protocol))
    context.report(
      'MT0154',
      ['connectionPool', 'http'],
      '{} has no effect: the protocol of the port is not HTTP',
    );
}

export function checkIngressPorts(ingress: readonly Ingress[], context: RuleContext): void {
  ingress.forEach(({ port }, i) => {
    const isTwice = port && ingress.findIndex((other) => other.port?.number === port.number) < i;
    if (isTwice)
      context.report('MT0116', ['ingress', i, 'port'], `{}: the port ${port.number} is given twice`);
  });
}

export function checkEgress(
  { port, bind = '', captureMode, hosts = [] }: Egress,
  context: RuleContext,
): void {
  if (hosts.length === 0)
    context.report(
      'MT0103',
      ['hosts'],
      '{} is missing: an egress listener needs at least one host, such as "./*"',
    );
  hosts.forEach((host, i) => {
    checkEgressHost(host, ['hosts', i], context);
  });
  if (!port) return;
  const isUnix = bind.startsWith(unixPrefix) && !port.number;
  checkListenerPort(port, context.at(['port']), { isUnix });
  if (isUnix) checkUnixPath(bind.slice(unixPrefix.length), ['bind'], context);
  else if (bind) checkIpAddress(bind, ['bind'], context);
  if (isUnix && captureMode === 'IPTABLES')
    context.report('MT0131', ['captureMode'], '{} must be DEFAULT or NONE for a unix socket');
}

/**
 * A listener without a port takes what the others leave, so it is the last; ports, whatever the address, and
 * sockets are used once.
 */
export function checkEgressList(egress: readonly Egress[], context: RuleContext): void {
  const keys = egress.map(({ port, bind }) => port && (port.number || bind));
  egress.forEach(({ port }, i) => {
    if (!port && i < egress.length - 1)
      context.report(
        'MT0131',
        ['egress', i],
        '{} has no port, so it takes all that is left: it must be the last',
      );
    if (keys[i] && keys.indexOf(keys[i]) < i)
      context.report(
        'MT0116',
        ['egress', i, port?.number ? 'port' : 'bind'],
        `{}: ${keys[i]} is given twice`,
      );
  });
}

/** Each host is compared with the others; beyond this many the comparison is left out. */
const mostHosts = 1000;

export function warnEgressHosts(hosts: readonly string[], context: RuleContext): void {
  if (hosts.length > mostHosts) return;
  if (hosts.includes('*/*') && hosts.some((host) => host !== '*/*' && !host.startsWith('~')))
    context.report('MT0155', ['hosts'], '{}: */* stands for everything, the other hosts add nothing');
  hosts.forEach((host, i) => {
    const isTwice = hosts.some(
      (other, j) =>
        j !== i &&
        (j < i || host !== other) &&
        !other.startsWith('~') &&
        host !== '*/*' &&
        other !== '*/*' &&
        coversHost(inNamespace(other, context), inNamespace(host, context)),
    );
    if (isTwice) context.report('MT0155', ['hosts', i], `{}: "${host}" is covered by another entry`);
  });
}

export function checkEgressProxy(
  {
    mode = 'REGISTRY_ONLY',
    egressProxy,
  }: { mode?: string; egressProxy?: { readonly host: string; readonly port?: unknown } },
  context: RuleContext,
): void {
  if (!egressProxy) return;
  if (mode !== 'ALLOW_ANY') context.report('MT0108', ['egressProxy'], '{} needs mode: ALLOW_ANY');
  checkDomain(egressProxy.host, ['egressProxy', 'host'], context);
  if (!egressProxy.port) context.report('MT0103', ['egressProxy', 'port'], '{} is missing');
}

function inNamespace(host: string, context: RuleContext): string {
  return host.startsWith('./') ? context.resource.namespace + host.slice(1) : host;
}

function coversHost(wide: string, narrow: string): boolean {
  const [wideNamespace = '', wideHost = ''] = wide.split('/');
  const [namespace = '', host = ''] = narrow.split('/');
  return (wideNamespace === namespace || wideNamespace === '*') && isSubsetOf(host, wideHost);
}

/** `namespace/host`; `~namespace/host` takes it out again. */
function checkEgressHost(text: string, path: Path, context: RuleContext): void {
  const slash = text.indexOf('/');
  if (slash === -1) {
    context.report(
      'MT0109',
      path,
      `"${text}" must be NAMESPACE/HOST, such as "./${text || '*'}" or "*/${text || '*'}"`,
    );
    return;
  }
  const namespace = text.slice(0, slash);
  const host = text.slice(slash + 1);
  if (namespace === '' || host === '') {
    context.report('MT0109', path, `"${text}" must be NAMESPACE/HOST, neither empty`);
    return;
  }
  const bare = namespace.startsWith('~') ? namespace.slice(1) : namespace;
  if (!['*', '.', ''].includes(bare) && !isDnsLabel(bare))
    context.report('MT0109', path, `"${namespace}" is not a namespace; write ".", "*", "~" or a name`);
  checkListenerHost(host, path, context, { allowIp: false });
}

function checkListenerPort(
  { number = 0, protocol = '', name, targetPort }: Port,
  context: RuleContext,
  { isUnix }: { isUnix: boolean },
): void {
  if (protocol && !isKnownProtocol(protocol))
    context.report('MT0118', ['protocol'], `{}: unknown protocol "${protocol}"; use ${protocolNames}`);
  if (!(isUnix && number === 0)) checkPort(number, ['number'], context);
  if (name && !isDnsLabel(name))
    context.report('MT0109', ['name'], `"${name}" is not possible as the name of a port`);
  if (targetPort) context.report('MT0129', ['targetPort'], '{} has no meaning in a Sidecar');
}

function checkDefaultEndpoint(endpoint: string, path: Path, context: RuleContext): void {
  if (endpoint.startsWith(unixPrefix)) {
    checkUnixPath(endpoint.slice(unixPrefix.length), path, context);
    return;
  }
  const match = /^(?:127\.0\.0\.1|0\.0\.0\.0|\[::1\]|\[::\]|):(.*)$/.exec(endpoint);
  if (!match) {
    context.report(
      'MT0119',
      path,
      `"${endpoint}": write 127.0.0.1:PORT, 0.0.0.0:PORT, [::1]:PORT, [::]:PORT or unix://PATH`,
    );
    return;
  }
  const port = match[1] ?? '';
  checkPort(/^\d+$/.test(port) ? Number(port) : undefined, path, context);
}

function checkIngressTls(tls: IngressTls, { protocol }: Port, context: RuleContext): void {
  if (!isTls(protocol))
    context.report(
      'MT0117',
      [],
      `{} is not possible on a port with protocol ${protocol || '(none)'}; use HTTPS or TLS`,
    );
  if (tls.mode === 'ISTIO_MUTUAL' || tls.mode === 'AUTO_PASSTHROUGH')
    context.report('MT0117', ['mode'], `{}: ${tls.mode} is not possible here`);
  for (const name of [
    'httpsRedirect',
    'subjectAltNames',
    'credentialName',
    'credentialNames',
    'tlsCertificates',
  ] as const) {
    const value = tls[name];
    const isGiven = Array.isArray(value) ? value.length > 0 : Boolean(value);
    if (isGiven) context.report('MT0117', [name], '{} is not possible here');
  }
}
