// Requests worth trying at the gateway, read off the VirtualServices that are bound to it: the plain one, and
// one for each fault.
import { type Issue, joinPath } from '../../base/index.ts';
import type { HTTPMatchRequest, HTTPRoute, ObjectOfKind } from '../../config/index.ts';

export interface RequestToTry {
  readonly url: string;
  readonly command: string;
  readonly outcome: string;
}

export interface GatewayPlace {
  /** `localhost:8080` */
  readonly authority: string;
  /** Line of a field, for pointing at it. */
  readonly place: (issue: Issue) => Issue;
}

type VirtualServiceObject = ObjectOfKind<'VirtualService'>;

export function requestsToTry(
  services: readonly VirtualServiceObject[],
  place: GatewayPlace,
): readonly RequestToTry[] {
  const found = services
    .filter((service) => (service.spec.gateways ?? []).some((gateway) => gateway !== 'mesh'))
    .flatMap((service) =>
      (service.spec.http ?? []).map((rule, index) => requestOf(service, rule, index, place)),
    );
  // The last rule is the one for everybody.
  const plain = found.filter(({ fault }) => !fault);
  return [...plain.slice(-1), ...found.filter(({ fault }) => fault)].map(({ request }) => request);
}

interface Found {
  readonly request: RequestToTry;
  readonly fault: boolean;
}

function requestOf(
  service: VirtualServiceObject,
  rule: HTTPRoute,
  index: number,
  place: GatewayPlace,
): Found {
  const match = rule.match?.[0];
  const path = pathOf(match);
  const host = (service.spec.hosts ?? []).find((name) => !name.includes('*'));
  const options = [...(host ? [`-H 'Host: ${host}'`] : []), ...headerOptions(match)];
  const url = `http://${place.authority}${path}`;
  const command = ['curl -s', `${place.authority}${path}`, ...options].join(' ');
  const fault = faultText(rule);
  const where =
    fault === undefined ? '' : ` (fault, ${whereIs(service, `spec.http[${index}].fault`, place)})`;
  return {
    request: { url, command, outcome: fault === undefined ? targetsText(rule) : fault + where },
    fault: fault !== undefined,
  };
}

function pathOf(match: HTTPMatchRequest | undefined): string {
  const uri = match?.uri;
  return uri?.exact ?? uri?.prefix ?? '/';
}

function headerOptions(match: HTTPMatchRequest | undefined): readonly string[] {
  return Object.entries(match?.headers ?? {}).flatMap(([name, wanted]) => {
    const cookie =
      name.toLowerCase() === 'cookie' &&
      /[\w-]+=[\w-]+/.exec(wanted.regex ?? wanted.exact ?? wanted.prefix ?? '')?.[0];
    if (cookie) return [`-b ${cookie}`];
    const value = wanted.exact ?? wanted.prefix;
    return value === undefined ? [] : [`-H '${name}: ${value}'`];
  });
}

function faultText({ fault }: HTTPRoute): string | undefined {
  const abort = fault?.abort?.httpStatus;
  const delay = fault?.delay?.fixedDelay;
  if (abort !== undefined) return `HTTP ${abort}`;
  return delay === undefined ? undefined : `${delay / 1000} s later`;
}

function targetsText(rule: HTTPRoute): string {
  const targets = rule.route ?? [];
  const name = (target: (typeof targets)[number]): string =>
    target.destination?.subset ?? target.destination?.host ?? '';
  if (rule.redirect) return 'a redirect';
  if (targets.length < 2) return targets.map(name).join('');
  return targets.map((target) => `${target.weight ?? 0} % ${name(target)}`).join(', ');
}

function whereIs({ origin }: VirtualServiceObject, path: string, { place }: GatewayPlace): string {
  const field = place({
    code: '',
    severity: 'info',
    message: '',
    origin: { ...origin, path: joinPath(origin.path, path) },
  });
  const file = (field.origin.file ?? '').replace(/^.*[\\/]/, '');
  return `${file}:${field.origin.line ?? 1}`;
}
