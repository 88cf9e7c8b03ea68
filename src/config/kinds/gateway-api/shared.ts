// Gateway API messages that several of its kinds use: https://gateway-api.sigs.k8s.io/reference/spec/
import { checkHeaderName } from '../../rules/http.ts';
import { checkRegex } from '../../rules/regex.ts';
import {
  field,
  type Infer,
  ignored,
  int32,
  integerIn,
  list,
  message,
  type RuleContext,
  required,
  string,
} from '../../schema/index.ts';

export const open = { open: true } as const;

/**
 * What the API server does not check, since its own language of rules has no regular expressions of this
 * kind.
 */
export function checkPattern(
  { type, value = '' }: { readonly type?: string; readonly value?: string },
  context: RuleContext,
): void {
  if (type !== 'RegularExpression') return;
  if (value === '') context.report('MT0128', ['value'], '{} is empty');
  else checkRegex(value, ['value'], context);
}

function checkHeader(name: string, value: string, context: RuleContext): void {
  if (!name.startsWith(':')) checkHeaderName(name, ['name'], context);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what the rule is about
  if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value))
    context.report('MT0113', ['value'], 'a header value cannot have control characters');
}

export const ParentReference = message(
  'ParentReference',
  {
    group: field(string, 'which listeners have the routes'),
    kind: field(string, 'Gateway: its listeners; Service: sidecars'),
    namespace: field(string, 'which listeners have the routes'),
    name: required(string, 'which listeners have the routes'),
    sectionName: field(string, 'which listeners have the routes'),
    port: field(integerIn(1, 65_535), 'which listeners have the routes'),
  },
  open,
);
export type ParentReference = Infer<typeof ParentReference>;

export const BackendObjectReference = message(
  'BackendObjectReference',
  {
    group: field(string, 'RouteAction.cluster'),
    kind: field(string, 'RouteAction.cluster'),
    name: required(string, 'RouteAction.cluster'),
    namespace: field(string, 'RouteAction.cluster, if a ReferenceGrant allows it'),
    port: field(integerIn(1, 65_535), 'RouteAction.cluster'),
  },
  open,
);
export type BackendObjectReference = Infer<typeof BackendObjectReference>;

export const NamedMatch = message(
  'NamedMatch',
  {
    type: field(string, 'StringMatcher'),
    name: required(string, 'HeaderMatcher.name, QueryParameterMatcher.name'),
    value: field(string, 'StringMatcher.exact, StringMatcher.safe_regex'),
  },
  { ...open, rules: [checkPattern] },
);
export type NamedMatch = Infer<typeof NamedMatch>;

const HTTPHeader = message(
  'HTTPHeader',
  {
    name: required(string, 'HeaderValueOption.header.key'),
    value: field(string, 'HeaderValueOption.header.value'),
  },
  { ...open, rules: [({ name, value = '' }, context) => checkHeader(name, value, context)] },
);

export const HTTPHeaderFilter = message(
  'HTTPHeaderFilter',
  {
    set: list(HTTPHeader),
    add: list(HTTPHeader),
    remove: field(
      list(string),
      'Route.request_headers_to_remove or Route.response_headers_to_remove, ClusterWeight.request_headers_to_remove or ClusterWeight.response_headers_to_remove of one destination among several',
    ),
  },
  open,
);
export type HTTPHeaderFilter = Infer<typeof HTTPHeaderFilter>;

export const RequestMirrorFilter = message(
  'HTTPRequestMirrorFilter',
  {
    backendRef: BackendObjectReference,
    percent: field(integerIn(0, 100), 'RequestMirrorPolicy.runtime_fraction'),
    fraction: message(
      'Fraction',
      {
        numerator: field(int32, 'RequestMirrorPolicy.runtime_fraction'),
        denominator: field(int32, 'RequestMirrorPolicy.runtime_fraction'),
      },
      open,
    ),
  },
  open,
);
export type RequestMirrorFilter = Infer<typeof RequestMirrorFilter>;

export const ExtensionRef = message(
  'LocalObjectReference',
  {
    group: ignored(string, 'see extensionRef'),
    kind: ignored(string, 'see extensionRef'),
    name: required(string, 'see extensionRef'),
  },
  open,
);
