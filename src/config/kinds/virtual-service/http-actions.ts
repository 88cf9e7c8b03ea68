// What an HTTP route may do besides forwarding: redirect, answer itself, rewrite, retry.
import { checkOptionalPort } from '../../rules/addresses.ts';
import { exclusive } from '../../rules/fields.ts';
import { isNamedStatus } from '../../rules/http.ts';
import { checkRegex } from '../../rules/regex.ts';
import {
  boolean,
  bytes,
  duration,
  enumOf,
  field,
  type Infer,
  int32,
  message,
  type RuleContext,
  required,
  string,
  text,
  uint32,
} from '../../schema/index.ts';

export const HTTPRedirect = message(
  'HTTPRedirect',
  {
    uri: field(string, 'RedirectAction.path_redirect'),
    prefixRewrite: field(string, 'RedirectAction.prefix_rewrite'),
    authority: field(string, 'RedirectAction.host_redirect'),
    port: field(uint32, 'RedirectAction.port_redirect'),
    derivePort: field(enumOf(['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT']), 'RedirectAction.port_redirect'),
    scheme: field(string, 'RedirectAction.scheme_redirect'),
    redirectCode: field(uint32, 'RedirectAction.response_code'),
  },
  {
    rules: [
      exclusive('uri', 'prefixRewrite'),
      exclusive('port', 'derivePort'),
      ({ uri, prefixRewrite, authority, port, derivePort, scheme, redirectCode = 0 }, context) => {
        if (
          !uri &&
          !prefixRewrite &&
          !authority &&
          !scheme &&
          port === undefined &&
          derivePort === undefined
        ) {
          context.report(
            'MT0123',
            [],
            '{} does not say where to; set uri, prefixRewrite, authority, scheme or port',
          );
        }
        checkOptionalPort(port, ['port'], context);
        if (scheme && scheme !== 'http' && scheme !== 'https')
          context.report('MT0123', ['scheme'], `{} must be http or https, not "${scheme}"`);
        // Istio takes any 3xx; Envoy has these five and refuses the route for another:
        // https://www.envoyproxy.io/docs/envoy/latest/api-v3/config/route/v3/route_components.proto#enum-config-route-v3-redirectaction-redirectresponsecode
        if (redirectCode !== 0 && ![301, 302, 303, 307, 308].includes(redirectCode)) {
          context.report(
            'MT0123',
            ['redirectCode'],
            `{} must be 301, 302, 303, 307 or 308, not ${redirectCode}`,
          );
        }
      },
    ],
  },
);
export type HTTPRedirect = Infer<typeof HTTPRedirect>;

export const HTTPBody = message(
  'HTTPBody',
  {
    string: field(text, 'DirectResponseAction.body.inline_string'),
    bytes: field(bytes, 'DirectResponseAction.body.inline_bytes'),
  },
  { rules: [exclusive('string', 'bytes')] },
);
export type HTTPBody = Infer<typeof HTTPBody>;

export const HTTPDirectResponse = message(
  'HTTPDirectResponse',
  { status: required(uint32, 'DirectResponseAction.status'), body: HTTPBody },
  {
    rules: [
      ({ status, body }, context) => {
        if (status < 200 || status > 599)
          context.report('MT0124', ['status'], `{} must be from 200 to 599, not ${status}`);
        const size = body?.bytes?.length ?? new TextEncoder().encode(body?.string ?? '').length;
        if (size > 1024 * 1024) context.report('MT0133', ['body'], '{} has more than 1 MiB');
        else if (size > 100 * 1024)
          context.report(
            'MT0153',
            ['body'],
            '{} has more than 100 KiB; every proxy receives it with each change',
          );
      },
    ],
  },
);
export type HTTPDirectResponse = Infer<typeof HTTPDirectResponse>;

export const RegexRewrite = message(
  'RegexRewrite',
  {
    match: field(string, 'RouteAction.regex_rewrite.pattern'),
    rewrite: field(string, 'RouteAction.regex_rewrite.substitution'),
  },
  {
    rules: [
      ({ match, rewrite }, context) => {
        if (!match || !rewrite) context.report('MT0103', [], '{} needs both match and rewrite');
        if (match) checkRegex(match, ['match'], context);
      },
    ],
  },
);
export type RegexRewrite = Infer<typeof RegexRewrite>;

export const HTTPRewrite = message(
  'HTTPRewrite',
  {
    uri: field(string, 'RouteAction.prefix_rewrite'),
    authority: field(string, 'RouteAction.host_rewrite_literal'),
    uriRegexRewrite: RegexRewrite,
  },
  {
    rules: [
      exclusive('uri', 'uriRegexRewrite'),
      ({ uri, authority, uriRegexRewrite }, context) => {
        if (!uri && !authority && !uriRegexRewrite)
          context.report('MT0121', [], '{} has nothing in it; set uri, uriRegexRewrite or authority');
      },
    ],
  },
);
export type HTTPRewrite = Infer<typeof HTTPRewrite>;

/**
 * https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/router_filter#x-envoy-retry-on
 * and -grpc-on
 */
const retryConditions = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'retriable-4xx',
  'refused-stream',
  'retriable-status-codes',
  'retriable-headers',
  'envoy-ratelimited',
  'http3-post-connect-failure',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
];

export const HTTPRetry = message(
  'HTTPRetry',
  {
    attempts: field(int32, 'RetryPolicy.num_retries; 0: no RouteAction.retry_policy'),
    perTryTimeout: field(duration, 'RetryPolicy.per_try_timeout'),
    retryOn: field(string, 'RetryPolicy.retry_on, RetryPolicy.retriable_status_codes'),
    retryRemoteLocalities: field(boolean, 'RetryPolicy.retry_priority'),
    retryIgnorePreviousHosts: field(boolean, 'RetryPolicy.retry_host_predicate'),
    backoff: field(duration, 'RetryPolicy.retry_back_off.base_interval'),
  },
  { rules: [checkAttempts, checkRetryOn] },
);
export type HTTPRetry = Infer<typeof HTTPRetry>;

interface RetryFields {
  readonly attempts?: number;
  readonly perTryTimeout?: number;
  readonly retryOn?: string;
  readonly retryRemoteLocalities?: boolean;
}

function checkAttempts(
  { attempts = 0, perTryTimeout, retryOn, retryRemoteLocalities }: RetryFields,
  context: RuleContext,
): void {
  if (attempts < 0) context.report('MT0122', ['attempts'], '{} cannot be negative');
  const hasPolicy = perTryTimeout !== undefined || retryOn || retryRemoteLocalities !== undefined;
  if (attempts === 0 && hasPolicy)
    context.report(
      'MT0122',
      ['attempts'],
      '{} is 0, which switches retries off; the other settings then have no use',
    );
}

function checkRetryOn({ retryOn }: RetryFields, context: RuleContext): void {
  for (const condition of retryOn ? retryOn.split(',') : []) {
    if (retryConditions.includes(condition) || (/^\d+$/.test(condition) && isNamedStatus(Number(condition))))
      continue;
    const hint = condition !== condition.trim() ? ' (no spaces around the commas)' : '';
    context.report(
      'MT0122',
      ['retryOn'],
      `{}: "${condition}" is neither a retry condition nor an HTTP status${hint}`,
    );
  }
}
