// VirtualService `redirect`.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPRedirect
import { create } from '@bufbuild/protobuf';
import {
  type RedirectAction,
  RedirectAction_RedirectResponseCode,
  RedirectActionSchema,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import type { HTTPRedirect } from '../../config/index.ts';

const codes: ReadonlyMap<number, RedirectAction_RedirectResponseCode> = new Map([
  [301, RedirectAction_RedirectResponseCode.MOVED_PERMANENTLY],
  [302, RedirectAction_RedirectResponseCode.FOUND],
  [303, RedirectAction_RedirectResponseCode.SEE_OTHER],
  [307, RedirectAction_RedirectResponseCode.TEMPORARY_REDIRECT],
  [308, RedirectAction_RedirectResponseCode.PERMANENT_REDIRECT],
]);

/** Undefined when Envoy has no such redirect, so that the rule does nothing. */
export function redirect(
  spec: HTTPRedirect,
  listenerPort: number,
  tls: boolean,
  gatewaySemantics: boolean,
): RedirectAction | undefined {
  const responseCode = codes.get(spec.redirectCode || 301);
  if (responseCode === undefined) return undefined;
  return create(RedirectActionSchema, {
    hostRedirect: spec.authority ?? '',
    portRedirect: portOf(spec, listenerPort, tls),
    schemeRewriteSpecifier: spec.scheme
      ? { case: 'schemeRedirect', value: spec.scheme }
      : { case: undefined },
    pathRewriteSpecifier: pathOf(spec, gatewaySemantics),
    responseCode,
  });
}

const prefixPlaceholder = '%PREFIX()%';

function pathOf(spec: HTTPRedirect, gatewaySemantics: boolean): RedirectAction['pathRewriteSpecifier'] {
  if (spec.prefixRewrite) return { case: 'prefixRewrite', value: spec.prefixRewrite };
  if (gatewaySemantics && spec.uri?.startsWith(prefixPlaceholder))
    return { case: 'prefixRewrite', value: spec.uri.slice(prefixPlaceholder.length) };
  return { case: 'pathRedirect', value: spec.uri ?? '' };
}

/** A default port is left out, as browsers would. */
function portOf(spec: HTTPRedirect, listenerPort: number, tls: boolean): number {
  const port = spec.derivePort === 'FROM_REQUEST_PORT' ? listenerPort : (spec.port ?? 0);
  const scheme = spec.scheme || (tls ? 'https' : 'http');
  return (port === 80 && scheme === 'http') || (port === 443 && scheme === 'https') ? 0 : port;
}
