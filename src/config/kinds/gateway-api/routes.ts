// Gateway API: its routes. Their types carry "Gateway" in front, since Istio's VirtualService has an
// HTTPRoute of its own.
import {
  anything,
  boolean,
  field,
  type Infer,
  ignored,
  int32,
  integerIn,
  list,
  message,
  noEffect,
  required,
  string,
  text,
} from '../../schema/index.ts';
import {
  checkPattern,
  ExtensionRef,
  HTTPHeaderFilter,
  NamedMatch,
  open,
  ParentReference,
  RequestMirrorFilter,
} from './shared.ts';

const HTTPPathModifier = message(
  'HTTPPathModifier',
  {
    type: field(
      string,
      'RouteAction.prefix_rewrite or regex_rewrite; RedirectAction.prefix_rewrite or path_redirect',
    ),
    replaceFullPath: field(string, 'RouteAction.regex_rewrite; RedirectAction.path_redirect'),
    replacePrefixMatch: field(string, 'RouteAction.prefix_rewrite; RedirectAction.prefix_rewrite'),
  },
  open,
);

export const GatewayHTTPRouteFilter = message(
  'HTTPRouteFilter',
  {
    type: ignored(string, 'the field that is there tells'),
    requestHeaderModifier: HTTPHeaderFilter,
    responseHeaderModifier: HTTPHeaderFilter,
    requestMirror: RequestMirrorFilter,
    requestRedirect: message(
      'HTTPRequestRedirectFilter',
      {
        scheme: field(string, 'RedirectAction.scheme_redirect'),
        hostname: field(string, 'RedirectAction.host_redirect'),
        path: HTTPPathModifier,
        port: field(integerIn(1, 65_535), 'RedirectAction.port_redirect'),
        statusCode: field(int32, 'RedirectAction.response_code'),
      },
      open,
    ),
    urlRewrite: message(
      'HTTPURLRewriteFilter',
      { hostname: field(string, 'RouteAction.host_rewrite_literal'), path: HTTPPathModifier },
      open,
    ),
    cors: message(
      'HTTPCORSFilter',
      {
        allowOrigins: field(list(string), 'CorsPolicy.allow_origin_string_match'),
        allowCredentials: field(boolean, 'CorsPolicy.allow_credentials'),
        allowMethods: field(list(string), 'CorsPolicy.allow_methods'),
        allowHeaders: field(list(string), 'CorsPolicy.allow_headers'),
        exposeHeaders: field(list(string), 'CorsPolicy.expose_headers'),
        maxAge: field(int32, 'CorsPolicy.max_age'),
      },
      open,
    ),
    extensionRef: noEffect(ExtensionRef, 'there are no extension filters'),
  },
  open,
);
export type GatewayHTTPRouteFilter = Infer<typeof GatewayHTTPRouteFilter>;

export const Condition = message(
  'Condition',
  {
    type: required(string, 'the status, when it is computed anew'),
    status: field(string, 'the status, when it is computed anew'),
    reason: field(string, 'the status, when it is computed anew'),
    message: ignored(text, 'a text for people'),
  },
  open,
);
export type Condition = Infer<typeof Condition>;

/** What is there already: entries of other controllers stay. */
const RouteStatus = message(
  'RouteStatus',
  {
    parents: list(
      message(
        'RouteParentStatus',
        {
          parentRef: ParentReference,
          controllerName: field(string, 'the status, when it is computed anew'),
          conditions: list(Condition),
        },
        open,
      ),
    ),
  },
  open,
);
export type RouteStatus = Infer<typeof RouteStatus>;

const backendRef = {
  group: field(string, 'RouteAction.cluster'),
  kind: field(string, 'RouteAction.cluster'),
  name: field(string, 'RouteAction.cluster'),
  namespace: field(string, 'RouteAction.cluster, if a ReferenceGrant allows it'),
  port: field(integerIn(1, 65_535), 'RouteAction.cluster'),
  weight: field(integerIn(0, 1_000_000), 'WeightedCluster.ClusterWeight.weight'),
};

export const GatewayHTTPRouteMatch = message(
  'HTTPRouteMatch',
  {
    path: message(
      'HTTPPathMatch',
      {
        type: field(string, 'RouteMatch.path, RouteMatch.path_separated_prefix, RouteMatch.safe_regex'),
        value: field(string, 'RouteMatch.path, RouteMatch.path_separated_prefix, RouteMatch.safe_regex'),
      },
      { ...open, rules: [checkPattern] },
    ),
    headers: list(NamedMatch),
    queryParams: list(NamedMatch),
    method: field(string, 'RouteMatch.headers (:method)'),
  },
  open,
);
export type GatewayHTTPRouteMatch = Infer<typeof GatewayHTTPRouteMatch>;

export const GatewayHTTPRouteRule = message(
  'HTTPRouteRule',
  {
    name: field(string, 'Route.name'),
    matches: list(GatewayHTTPRouteMatch),
    filters: list(GatewayHTTPRouteFilter),
    backendRefs: list(
      message('HTTPBackendRef', { ...backendRef, filters: list(GatewayHTTPRouteFilter) }, open),
    ),
    timeouts: message(
      'HTTPRouteTimeouts',
      {
        request: field(string, 'RouteAction.timeout'),
        backendRequest: field(string, 'RetryPolicy.per_try_timeout; without retry RouteAction.timeout'),
      },
      open,
    ),
    retry: message(
      'HTTPRouteRetry',
      {
        codes: field(list(integerIn(400, 599)), 'RetryPolicy.retriable_status_codes'),
        attempts: field(int32, 'RetryPolicy.num_retries'),
        backoff: field(string, 'RetryPolicy.retry_back_off.base_interval'),
      },
      open,
    ),
    sessionPersistence: noEffect(anything, 'use a DestinationRule with consistentHash.httpCookie'),
  },
  open,
);
export type GatewayHTTPRouteRule = Infer<typeof GatewayHTTPRouteRule>;

export const GatewayHTTPRoute = message(
  'HTTPRouteSpec',
  {
    parentRefs: list(ParentReference),
    hostnames: field(list(string), 'VirtualHost.domains'),
    rules: list(GatewayHTTPRouteRule),
    status: RouteStatus,
  },
  open,
);
export type GatewayHTTPRoute = Infer<typeof GatewayHTTPRoute>;

export const GatewayGRPCRouteFilter = message(
  'GRPCRouteFilter',
  {
    type: ignored(string, 'the field that is there tells'),
    requestHeaderModifier: HTTPHeaderFilter,
    responseHeaderModifier: HTTPHeaderFilter,
    requestMirror: RequestMirrorFilter,
    extensionRef: noEffect(ExtensionRef, 'there are no extension filters'),
  },
  open,
);
export type GatewayGRPCRouteFilter = Infer<typeof GatewayGRPCRouteFilter>;

export const GatewayGRPCRouteRule = message(
  'GRPCRouteRule',
  {
    name: field(string, 'Route.name'),
    matches: list(
      message(
        'GRPCRouteMatch',
        {
          method: message(
            'GRPCMethodMatch',
            {
              type: field(string, 'RouteMatch.path, RouteMatch.prefix, RouteMatch.safe_regex'),
              service: field(string, 'RouteMatch.path, RouteMatch.prefix, RouteMatch.safe_regex'),
              method: field(string, 'RouteMatch.path, RouteMatch.prefix, RouteMatch.safe_regex'),
            },
            open,
          ),
          headers: list(NamedMatch),
        },
        open,
      ),
    ),
    filters: list(GatewayGRPCRouteFilter),
    backendRefs: list(
      message('GRPCBackendRef', { ...backendRef, filters: list(GatewayGRPCRouteFilter) }, open),
    ),
  },
  open,
);
export type GatewayGRPCRouteRule = Infer<typeof GatewayGRPCRouteRule>;

export const GatewayGRPCRoute = message(
  'GRPCRouteSpec',
  {
    parentRefs: list(ParentReference),
    hostnames: field(list(string), 'VirtualHost.domains'),
    rules: list(GatewayGRPCRouteRule),
    status: RouteStatus,
  },
  open,
);
export type GatewayGRPCRoute = Infer<typeof GatewayGRPCRoute>;

const BackendRef = message('BackendRef', backendRef, open);
export type BackendRef = Infer<typeof BackendRef>;

export const GatewayL4RouteRule = message(
  'L4RouteRule',
  { name: ignored(string, 'for people'), backendRefs: list(BackendRef) },
  open,
);
export type GatewayL4RouteRule = Infer<typeof GatewayL4RouteRule>;

export const GatewayTLSRoute = message(
  'TLSRouteSpec',
  {
    parentRefs: list(ParentReference),
    hostnames: field(list(string), 'FilterChainMatch.server_names'),
    rules: list(GatewayL4RouteRule),
    status: RouteStatus,
  },
  open,
);
export type GatewayTLSRoute = Infer<typeof GatewayTLSRoute>;

export const GatewayTCPRoute = message(
  'TCPRouteSpec',
  { parentRefs: list(ParentReference), rules: list(GatewayL4RouteRule), status: RouteStatus },
  open,
);
export type GatewayTCPRoute = Infer<typeof GatewayTCPRoute>;
