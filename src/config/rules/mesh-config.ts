// MeshConfig: what Istio asks of it beyond the types of its fields.
import { isRecord, lineProblem, type Path, type RuleContext } from '../schema/index.ts';
import { checkPort, isIpAddress } from './addresses.ts';
import { checkWildcardDomain, domainProblem, isDnsLabel } from './names.ts';

interface Settings {
  readonly connectTimeout?: number;
  readonly trustDomain?: string;
  readonly trustDomainAliases?: readonly string[];
  readonly meshMTLS?: { readonly ecdhCurves?: readonly string[] };
  readonly serviceSettings?: readonly { readonly hosts?: readonly string[] }[];
  readonly defaultConfig?: {
    readonly proxyHeaders?: unknown;
    readonly discoveryAddress?: string;
    readonly drainDuration?: number;
    readonly proxyAdminPort?: number;
    readonly statusPort?: number;
  };
}

const hour = 3_600_000;

export function checkMeshConfig(mesh: Settings, context: RuleContext): void {
  const {
    connectTimeout = 0,
    trustDomain,
    trustDomainAliases = [],
    meshMTLS,
    serviceSettings = [],
    defaultConfig = {},
  } = mesh;
  if (connectTimeout > hour) context.report('MT0106', ['connectTimeout'], '{} must be 1h at most');
  if (trustDomain !== undefined) checkTrustDomain(trustDomain, ['trustDomain'], context);
  trustDomainAliases.forEach((alias, i) => {
    checkTrustDomain(alias, ['trustDomainAliases', i], context);
  });
  if (meshMTLS?.ecdhCurves !== undefined)
    context.report(
      'MT0129',
      ['meshMTLS', 'ecdhCurves'],
      '{} is not possible: proxies of the mesh choose the curves themselves',
    );
  serviceSettings.forEach(({ hosts = [] }, i) => {
    hosts.forEach((host, j) => {
      checkWildcardDomain(host, ['serviceSettings', i, 'hosts', j], context);
    });
  });
  checkProxyDefaults(defaultConfig, context.at(['defaultConfig']));
}

function checkProxyDefaults(
  {
    discoveryAddress,
    drainDuration = 0,
    proxyAdminPort,
    proxyHeaders,
    statusPort,
  }: NonNullable<Settings['defaultConfig']>,
  context: RuleContext,
): void {
  if (proxyAdminPort !== undefined) checkPort(proxyAdminPort, ['proxyAdminPort'], context);
  if (statusPort !== undefined) checkPort(statusPort, ['statusPort'], context);
  const server =
    isRecord(proxyHeaders) && isRecord(proxyHeaders['server']) ? proxyHeaders['server']['value'] : undefined;
  const problem = typeof server === 'string' ? lineProblem(server) : undefined;
  if (problem !== undefined) context.report('MT0134', ['proxyHeaders', 'server', 'value'], `{} ${problem}`);
  if (drainDuration % 1000 !== 0) context.report('MT0106', ['drainDuration'], '{} must be in whole seconds');
  if (discoveryAddress !== undefined) checkHostPort(discoveryAddress, ['discoveryAddress'], context);
}

/** The authority of SPIFFE identities, which may look like no domain of DNS at all: `1.2` is one. */
function checkTrustDomain(domain: string, path: Path, context: RuleContext): void {
  const labels = (domain.length > 1 && domain.endsWith('.') ? domain.slice(0, -1) : domain).split('.');
  if (!labels.every(isDnsLabel))
    context.report('MT0109', path, domain === '' ? '{} is empty' : `"${domain}" is not a trust domain`);
}

function checkHostPort(address: string, path: Path, context: RuleContext): void {
  const { host = '', port = '' } = /^\[?(?<host>[^\]]*)\]?:(?<port>\d{1,5})$/.exec(address)?.groups ?? {};
  if (!isIpAddress(host) && domainProblem(host))
    context.report('MT0119', path, `"${address}" must be HOST:PORT`);
  else checkPort(Number(port), path, context);
}
