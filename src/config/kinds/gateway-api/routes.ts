// Gateway API: HTTPRoute and GRPCRoute. Their types carry "Gateway" in front, since Istio's VirtualService has an HTTPRoute of its own.
import { anything, boolean, type Infer, int32, list, message, string } from '../../schema/index.ts';
import { ExtensionRef, HTTPHeaderFilter, NamedMatch, open, ParentReference, RequestMirrorFilter } from './shared.ts';

const HTTPPathModifier = message('HTTPPathModifier', { type: string, replaceFullPath: string, replacePrefixMatch: string }, open);

export const GatewayHTTPRouteFilter = message(
  'HTTPRouteFilter',
  {
    type: string,
    requestHeaderModifier: HTTPHeaderFilter,
    responseHeaderModifier: HTTPHeaderFilter,
    requestMirror: RequestMirrorFilter,
    requestRedirect: message(
      'HTTPRequestRedirectFilter',
      { scheme: string, hostname: string, path: HTTPPathModifier, port: int32, statusCode: int32 },
      open,
    ),
    urlRewrite: message('HTTPURLRewriteFilter', { hostname: string, path: HTTPPathModifier }, open),
    cors: message(
      'HTTPCORSFilter',
      {
        allowOrigins: list(string),
        allowCredentials: boolean,
        allowMethods: list(string),
        allowHeaders: list(string),
        exposeHeaders: list(string),
        maxAge: int32,
      },
      open,
    ),
    extensionRef: ExtensionRef,
  },
  open,
);
export type GatewayHTTPRouteFilter = Infer<typeof GatewayHTTPRouteFilter>;

const backendRef = {
  group: string,
  kind: string,
  name: string,
  namespace: string,
  port: int32,
  weight: int32,
};

export const GatewayHTTPRouteMatch = message(
  'HTTPRouteMatch',
  {
    path: message('HTTPPathMatch', { type: string, value: string }, open),
    headers: list(NamedMatch),
    queryParams: list(NamedMatch),
    method: string,
  },
  open,
);
export type GatewayHTTPRouteMatch = Infer<typeof GatewayHTTPRouteMatch>;

export const GatewayHTTPRouteRule = message(
  'HTTPRouteRule',
  {
    name: string,
    matches: list(GatewayHTTPRouteMatch),
    filters: list(GatewayHTTPRouteFilter),
    backendRefs: list(message('HTTPBackendRef', { ...backendRef, filters: list(GatewayHTTPRouteFilter) }, open)),
    timeouts: message('HTTPRouteTimeouts', { request: string, backendRequest: string }, open),
    retry: message('HTTPRouteRetry', { codes: list(int32), attempts: int32, backoff: string }, open),
    sessionPersistence: anything,
  },
  open,
);
export type GatewayHTTPRouteRule = Infer<typeof GatewayHTTPRouteRule>;

export const GatewayHTTPRoute = message(
  'HTTPRouteSpec',
  { parentRefs: list(ParentReference), hostnames: list(string), rules: list(GatewayHTTPRouteRule) },
  open,
);
export type GatewayHTTPRoute = Infer<typeof GatewayHTTPRoute>;

export const GatewayGRPCRouteFilter = message(
  'GRPCRouteFilter',
  {
    type: string,
    requestHeaderModifier: HTTPHeaderFilter,
    responseHeaderModifier: HTTPHeaderFilter,
    requestMirror: RequestMirrorFilter,
    extensionRef: ExtensionRef,
  },
  open,
);
export type GatewayGRPCRouteFilter = Infer<typeof GatewayGRPCRouteFilter>;

export const GatewayGRPCRouteRule = message(
  'GRPCRouteRule',
  {
    name: string,
    matches: list(
      message(
        'GRPCRouteMatch',
        { method: message('GRPCMethodMatch', { type: string, service: string, method: string }, open), headers: list(NamedMatch) },
        open,
      ),
    ),
    filters: list(GatewayGRPCRouteFilter),
    backendRefs: list(message('GRPCBackendRef', { ...backendRef, filters: list(GatewayGRPCRouteFilter) }, open)),
  },
  open,
);
export type GatewayGRPCRouteRule = Infer<typeof GatewayGRPCRouteRule>;

export const GatewayGRPCRoute = message(
  'GRPCRouteSpec',
  { parentRefs: list(ParentReference), hostnames: list(string), rules: list(GatewayGRPCRouteRule) },
  open,
);
export type GatewayGRPCRoute = Infer<typeof GatewayGRPCRoute>;
