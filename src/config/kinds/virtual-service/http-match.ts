// HTTPMatchRequest and StringMatch: which requests a rule is for.
import { checkOptionalPort } from '../../rules/addresses.ts';
import { checkHeaderName } from '../../rules/http.ts';
import { checkLabels } from '../../rules/labels.ts';
import { isDnsLabel } from '../../rules/names.ts';
import { checkRegex } from '../../rules/regex.ts';
import {
  boolean,
  field,
  type Infer,
  list,
  mapOf,
  mapWithEmpty,
  message,
  type Path,
  type RuleContext,
  string,
  uint32,
} from '../../schema/index.ts';
import { checkGatewayName } from './gateway-name.ts';

/** RFC 9113, 8.3: what HTTP/2 has instead of a request line and a status line. */
const pseudoHeaders = [':method', ':scheme', ':authority', ':path', ':status'];

export const StringMatch = message(
  'StringMatch',
  {
    exact: field(string, 'StringMatcher.exact; RouteMatch.path'),
    prefix: field(string, 'StringMatcher.prefix; RouteMatch.prefix'),
    regex: field(string, 'StringMatcher.safe_regex; RouteMatch.safe_regex'),
  },
  { rules: [exclusiveMatch] },
);
export type StringMatch = Infer<typeof StringMatch>;

export const HTTPMatchRequest = message(
  'HTTPMatchRequest',
  {
    name: field(string, 'Route.name, after a dot'),
    uri: StringMatch,
    scheme: StringMatch,
    method: StringMatch,
    authority: StringMatch,
    headers: field(mapOf(StringMatch), 'RouteMatch.headers; metadata of a token for @request.auth.claims'),
    port: field(uint32, 'decided while translating: which listeners have the route'),
    sourceLabels: field(mapOf(string), 'decided while translating: which listeners have the route'),
    gateways: field(list(string), 'decided while translating: which listeners have the route'),
    queryParams: field(mapOf(StringMatch), 'RouteMatch.query_parameters'),
    ignoreUriCase: field(boolean, 'RouteMatch.case_sensitive'),
    withoutHeaders: field(mapWithEmpty(StringMatch), 'HeaderMatcher.invert_match'),
    sourceNamespace: field(string, 'decided while translating: which listeners have the route'),
    statPrefix: field(string, 'Route.stat_prefix'),
  },
  {
    rules: [
      (match, context) => {
        checkMatch(match.uri, ['uri'], context, { emptyPrefix: true });
        for (const name of ['scheme', 'method', 'authority'] as const)
          checkMatch(match[name], [name], context);
        checkHeaders(match.headers, 'headers', context);
        checkHeaders(match.withoutHeaders, 'withoutHeaders', context, { presence: true });
        checkQuery(match.queryParams, context);
        checkOptionalPort(match.port, ['port'], context);
        checkLabels(match.sourceLabels, ['sourceLabels'], context);
        if (match.sourceNamespace && !isDnsLabel(match.sourceNamespace))
          context.report('MT0109', ['sourceNamespace'], 'this is not the name of a namespace');
        match.gateways?.forEach((name, i) => {
          checkGatewayName(name, ['gateways', i], context);
        });
      },
    ],
  },
);
export type HTTPMatchRequest = Infer<typeof HTTPMatchRequest>;

function exclusiveMatch(
  value: { readonly exact?: string; readonly prefix?: string; readonly regex?: string },
  context: RuleContext,
): void {
  const given = (['exact', 'prefix', 'regex'] as const).filter((name) => value[name] !== undefined);
  if (given.length > 1) context.report('MT0128', [], `{} has ${given.join(' and ')}: keep one`);
}

interface MatchOptions {
  /** An empty prefix matches every path; of a header it would match presence, which is written otherwise. */
  readonly emptyPrefix?: boolean;
  /**
   * `regex: "*"` stands for presence, and is no regular expression: in `withoutHeaders`, where an empty
   * message says the same.
   */
  readonly presence?: boolean;
}

function checkMatch(
  match: StringMatch | undefined,
  path: Path,
  context: RuleContext,
  { emptyPrefix, presence }: MatchOptions = {},
): void {
  if (match?.prefix === '' && !emptyPrefix) context.report('MT0128', [...path, 'prefix'], '{} is empty');
  if (match?.regex === '') context.report('MT0128', [...path, 'regex'], '{} is empty');
  if (match?.regex && !(presence && match.regex === '*'))
    checkRegex(match.regex, [...path, 'regex'], context);
}

type Matches = Readonly<Record<string, StringMatch>> | undefined;

function checkHeaders(
  matches: Matches,
  field: string,
  context: RuleContext,
  options: MatchOptions = {},
): void {
  for (const [name, match] of Object.entries(matches ?? {})) {
    checkMatch(match, [field, name], context, options);
    if (!name.startsWith('@request.auth.claims') && !pseudoHeaders.includes(name))
      checkHeaderName(name, [field, name], context);
  }
}

function checkQuery(matches: Matches, context: RuleContext): void {
  for (const [name, match] of Object.entries(matches ?? {})) {
    checkMatch(match, ['queryParams', name], context);
    if (name === '')
      context.report('MT0128', ['queryParams', name], 'the name of the query parameter is empty');
  }
}
