// CorsPolicy: which other origins a browser may call from.
import { checkHeaderName, httpMethods } from '../../rules/http.ts';
import { checkRegex } from '../../rules/regex.ts';
import {
  boolean,
  deprecated,
  duration,
  enumOf,
  field,
  type Infer,
  list,
  message,
  string,
} from '../../schema/index.ts';
import { StringMatch } from './http-match.ts';

export const CorsPolicy = message(
  'CorsPolicy',
  {
    allowOrigin: deprecated(list(string), 'allowOrigins', 'CorsPolicy.allow_origin_string_match'),
    allowOrigins: list(StringMatch),
    allowMethods: field(list(string), 'CorsPolicy.allow_methods'),
    allowHeaders: field(list(string), 'CorsPolicy.allow_headers'),
    exposeHeaders: field(list(string), 'CorsPolicy.expose_headers'),
    maxAge: field(duration, 'CorsPolicy.max_age'),
    allowCredentials: field(boolean, 'CorsPolicy.allow_credentials'),
    unmatchedPreflights: field(
      enumOf(['UNSPECIFIED', 'FORWARD', 'IGNORE']),
      'CorsPolicy.forward_not_matching_preflights',
    ),
  },
  {
    rules: [
      (cors, context) => {
        cors.allowOrigins?.forEach(({ exact, prefix, regex }, i) => {
          if (!exact && !prefix && !regex)
            context.report('MT0128', ['allowOrigins', i], '{} needs exact, prefix or regex, not empty');
          if (regex) checkRegex(regex, ['allowOrigins', i, 'regex'], context);
        });
        cors.allowMethods?.forEach((method, i) => {
          if (method !== '*' && !httpMethods.includes(method))
            context.report(
              'MT0130',
              ['allowMethods', i],
              `"${method}" is not a method; use ${httpMethods.join(', ')}`,
            );
        });
        for (const name of ['allowHeaders', 'exposeHeaders'] as const) {
          cors[name]?.forEach((header, i) => {
            header !== '*' && checkHeaderName(header, [name, i], context);
          });
        }
        if ((cors.maxAge ?? 0) % 1000 !== 0)
          context.report('MT0106', ['maxAge'], '{} must be in whole seconds');
      },
    ],
  },
);
export type CorsPolicy = Infer<typeof CorsPolicy>;
