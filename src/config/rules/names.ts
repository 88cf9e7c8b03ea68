// DNS names as Istio checks them: https://github.com/istio/istio/tree/master/pkg/config/validation/agent
import type { Path, RuleContext } from '../schema/index.ts';
import { isIpAddress } from './addresses.ts';

const label = '[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?';
const labelPattern = new RegExp(`^${label}$`);
const wildcardLabelPattern = new RegExp(`^(?:\\*|(?:\\*-?)?${label})$`);

export function isDnsLabel(text: string): boolean {
  return text.length <= 63 && labelPattern.test(text);
}

/** What is wrong with a DNS name without wildcard, or undefined. */
export function domainProblem(name: string): string | undefined {
  return preconditionProblem(name) ?? labelsProblem(name, name);
}

/** As `domainProblem`, where the first label may be `*`, `*-x` or `*x`. */
export function wildcardDomainProblem(name: string): string | undefined {
  const problem = preconditionProblem(name);
  if (problem) return problem;
  const dot = name.indexOf('.');
  const first = dot === -1 ? name : name.slice(0, dot);
  if (first.length > 63 || !wildcardLabelPattern.test(first))
    return `"${name}" is not a DNS name (label "${first}")`;
  return dot === -1 ? undefined : labelsProblem(name.slice(dot + 1), name);
}

export function isPartialWildcard(host: string): boolean {
  return host.includes('*') && host !== '*' && !host.startsWith('*.');
}

export function checkDomain(name: string, path: Path, context: RuleContext): void {
  const problem = domainProblem(name);
  if (problem) context.report('MT0109', path, problem);
}

export function checkWildcardDomain(name: string, path: Path, context: RuleContext): void {
  const problem = wildcardDomainProblem(name);
  if (problem) context.report('MT0109', path, problem);
}

/** The host part of a Gateway's or Sidecar's host entry: no short names, no partial wildcards. */
export function checkListenerHost(
  host: string,
  path: Path,
  context: RuleContext,
  options: { allowIp: boolean },
): void {
  if (host !== '*' && !host.includes('.') && !(options.allowIp && isIpAddress(host))) {
    context.report('MT0109', path, `short name "${host}": write the full DNS name`);
    return;
  }
  const problem = options.allowIp && isIpAddress(host) ? undefined : wildcardDomainProblem(host);
  if (problem) context.report('MT0109', path, problem);
  else if (isPartialWildcard(host))
    context.report('MT0109', path, `partial wildcard "${host}": write *. and a domain`);
}

/** Whether one of two names, either possibly with a leading wildcard, covers the other. */
export function hostsOverlap(a: string, b: string): boolean {
  return isSubsetOf(a, b) || isSubsetOf(b, a);
}

export function isSubsetOf(name: string, other: string): boolean {
  if (other === '*') return true;
  if (!other.startsWith('*')) return name === other;
  const suffix = other.slice(1);
  return name.startsWith('*') ? name.slice(1).endsWith(suffix) : name.endsWith(suffix);
}

function preconditionProblem(name: string): string | undefined {
  if (name.length > 255) return `"${name.slice(0, 40)}..." is longer than the 255 characters of a DNS name`;
  return name === '' ? 'the name is empty' : undefined;
}

function labelsProblem(text: string, name: string): string | undefined {
  const labels = text.split('.');
  const top = labels.at(-1) ?? '';
  if (/^\d+$/.test(top)) return `"${name}" is not a DNS name (the last label "${top}" has digits only)`;
  const wrong = labels.find(
    (item, index) => !isDnsLabel(item) && !(item === '' && index > 0 && index === labels.length - 1),
  );
  return wrong === undefined ? undefined : `"${name}" is not a DNS name (label "${wrong}")`;
}
