// Names of gateways that a VirtualService is bound to.
import { domainProblem, isDnsLabel } from '../../rules/names.ts';
import type { Path, RuleContext } from '../../schema/index.ts';

export const meshGateway = 'mesh';

export function checkGatewayName(name: string, path: Path, context: RuleContext): void {
  const slash = name.indexOf('/');
  if (slash === -1) {
    checkOldName(name, path, context);
    return;
  }
  const [namespace, gateway] = [name.slice(0, slash), name.slice(slash + 1)];
  for (const part of [namespace, gateway])
    if (!isDnsLabel(part)) context.report('MT0120', path, `"${name}" is not NAMESPACE/NAME (part "${part}")`);
}

function checkOldName(name: string, path: Path, context: RuleContext): void {
  const problem = domainProblem(name);
  if (problem) {
    context.report('MT0120', path, problem);
    return;
  }
  const [gateway = '', namespace = ''] = name.split('.');
  if (namespace !== '')
    context.report('MT0303', path, `{}: "${name}" is an old form; write ${namespace}/${gateway}`);
}
