// Headers: what a route adds to, sets in and removes from requests and responses.
import { checkHeaderName, checkHeaderValue, isAuthority } from '../../rules/http.ts';
import { field, type Infer, list, mapOf, message, type RuleContext, string } from '../../schema/index.ts';

export const HeaderOperations = message('HeaderOperations', {
  set: field(
    mapOf(string),
    'Route.request_headers_to_add or Route.response_headers_to_add, ClusterWeight.request_headers_to_add or ClusterWeight.response_headers_to_add of one destination among several, overwriting; Host: RouteAction.host_rewrite_literal',
  ),
  add: field(
    mapOf(string),
    'Route.request_headers_to_add or Route.response_headers_to_add, ClusterWeight.request_headers_to_add or ClusterWeight.response_headers_to_add of one destination among several, appending',
  ),
  remove: field(
    list(string),
    'Route.request_headers_to_remove or Route.response_headers_to_remove, ClusterWeight.request_headers_to_remove or ClusterWeight.response_headers_to_remove of one destination among several',
  ),
});
export type HeaderOperations = Infer<typeof HeaderOperations>;

export const Headers = message(
  'Headers',
  { request: HeaderOperations, response: HeaderOperations },
  {
    rules: [
      ({ request, response }, context) => {
        checkOperations(request, context.at(['request']), { allowAuthority: true });
        checkOperations(response, context.at(['response']), { allowAuthority: false });
      },
    ],
  },
);
export type Headers = Infer<typeof Headers>;

function checkOperations(
  operations: HeaderOperations | undefined,
  context: RuleContext,
  { allowAuthority }: { allowAuthority: boolean },
): void {
  for (const name of ['set', 'add'] as const) {
    for (const [header, value] of Object.entries(operations?.[name] ?? {})) {
      if (!(allowAuthority && isAuthority(header))) checkOrdinary(header, [name, header], context);
      checkHeaderValue(value, [name, header], context);
    }
  }
  operations?.remove?.forEach((header, i) => {
    checkOrdinary(header, ['remove', i], context);
  });
}

function checkOrdinary(header: string, path: readonly (string | number)[], context: RuleContext): void {
  if (header.startsWith(':'))
    context.report('MT0113', path, `"${header}" is a pseudo header and cannot be changed here`);
  else if (isAuthority(header)) context.report('MT0113', path, 'Host cannot be changed here');
  else checkHeaderName(header, path, context);
}
