// A redirect as a plan.
import {
  RedirectAction_RedirectResponseCode as Code,
  type RedirectAction,
} from '@meltemi/envoy-api/envoy/config/route/v3/route_components';
import { configuredText } from '../../codec/wire-text.ts';
import { type PathRewrite, planPathRewrite } from './rewrite.ts';
import type { RouteMatchPlan } from './route-match.ts';

export interface RedirectPlan {
  readonly status: number;
  /** Empty keeps the request's. */
  readonly scheme: string;
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly rewrite: PathRewrite;
  readonly stripQuery: boolean;
}

const statuses: Readonly<Record<Code, number>> = {
  [Code.MOVED_PERMANENTLY]: 301,
  [Code.FOUND]: 302,
  [Code.SEE_OTHER]: 303,
  [Code.TEMPORARY_REDIRECT]: 307,
  [Code.PERMANENT_REDIRECT]: 308,
};

export function planRedirect(
  action: RedirectAction,
  match: RouteMatchPlan,
  problems: string[],
): RedirectPlan {
  const path = action.pathRewriteSpecifier;
  const status = statuses[action.responseCode];
  if (status === undefined)
    problems.push(`redirect response code ${action.responseCode} is not one of Envoy's`);
  return {
    status: status ?? 301,
    scheme: planScheme(action, problems),
    host: configuredText(action.hostRedirect, 'host_redirect', problems),
    port: action.portRedirect,
    path: path.case === 'pathRedirect' ? configuredText(path.value, 'path_redirect', problems) : '',
    rewrite: planPathRewrite(
      {
        prefixRewrite: path.case === 'prefixRewrite' ? path.value : '',
        ...(path.case === 'regexRewrite' ? { regexRewrite: path.value } : {}),
      },
      match,
      problems,
    ),
    stripQuery: action.stripQuery,
  };
}

function planScheme({ schemeRewriteSpecifier: scheme }: RedirectAction, problems: string[]): string {
  if (scheme.case === 'httpsRedirect') return scheme.value ? 'https' : '';
  return configuredText(scheme.value ?? '', 'scheme_redirect', problems);
}
