// Whether a request is one that may be routed at all, and in which form: path, authority, field names.
import type { Request } from '../../codec/http/request.ts';
import type { PathRules } from '../../plan/http/manager-plan.ts';
import { normalizePath } from './normalize-path.ts';

export interface AdmissionRules {
  readonly path: PathRules;
  readonly stripPort: 'none' | 'matching' | 'any';
  readonly stripTrailingDot: boolean;
  readonly underscores: 'allow' | 'reject' | 'drop';
}

export type Admission =
  | { readonly kind: 'admit'; readonly path: string; readonly authority: string }
  | { readonly kind: 'refuse'; readonly status: number }
  /** To the path as the rules write it. */
  | { readonly kind: 'redirect'; readonly path: string };

const bad: Admission = { kind: 'refuse', status: 400 };
const unknown: Admission = { kind: 'refuse', status: 404 };

/** `localPort`: where the client connected to. Fields with underscores are left for the caller to drop. */
export function admit(request: Request, rules: AdmissionRules, localPort: number): Admission {
  const { method, path, authority } = request;
  if (authority === '' && request.protocol === 'http/1.0') return bad;
  if (method === 'CONNECT') return { kind: 'admit', path, authority };
  if (path.includes('#')) return bad;
  if (path.charCodeAt(0) !== 0x2f) return path === '*' && method !== 'OPTIONS' ? bad : unknown;
  if (rules.underscores === 'reject' && namesUnderscore(request.headers.list)) return bad;
  const outcome = normalizePath(path, rules.path);
  if (outcome.kind === 'reject') return bad;
  if (outcome.kind === 'redirect') return outcome;
  return { kind: 'admit', path: outcome.path, authority: strippedAuthority(authority, rules, localPort) };
}

export function hasUnderscore(name: string): boolean {
  return name.includes('_');
}

/** Of names and values by turns. */
function namesUnderscore(fields: readonly string[]): boolean {
  return fields.some((text, index) => index % 2 === 0 && hasUnderscore(text));
}

function strippedAuthority(authority: string, rules: AdmissionRules, localPort: number): string {
  const { stripPort, stripTrailingDot } = rules;
  const name = stripTrailingDot ? authority.replace(/\.(?=$|:\d+$)/, '') : authority;
  if (stripPort === 'none') return name;
  const [, host, port] = /^(.*?):(\d+)$/.exec(name) ?? [];
  return host !== undefined && (stripPort === 'any' || Number(port) === localPort) ? host : name;
}
