// Every check, in the order in which their findings are told.
import { at, type Issue } from '../../base/index.ts';
import { type AnyConfig, catalogue } from '../../config/index.ts';
import type { Mesh } from '../../mesh/index.ts';
import type { Check, CheckedKind, Report } from './check.ts';
import { destinationRuleHost } from './destination-rule-host.ts';
import { doubleTls } from './double-tls.ts';
import { faultShare } from './fault-share.ts';
import { gatewayCredentials } from './gateway-credentials.ts';
import { portNames } from './port-names.ts';
import { references } from './references.ts';
import { routedTwice } from './routed-twice.ts';
import { rulesWithoutPort } from './rules-without-port.ts';
import { shareOfWeights } from './share-of-weights.ts';
import { wholePort } from './whole-port.ts';

const checks: { readonly [K in CheckedKind]: readonly Check<K>[] } = {
  VirtualService: [references, routedTwice, rulesWithoutPort, shareOfWeights, faultShare],
  DestinationRule: [destinationRuleHost, doubleTls],
  ServiceEntry: [wholePort],
  Gateway: [gatewayCredentials],
  Service: [portNames],
};

export function isChecked(object: AnyConfig): object is Extract<AnyConfig, { kind: CheckedKind }> {
  return object.kind in checks;
}

/** Findings about an object, as the mesh stands; the object itself need not be in force. */
export function issuesOf(mesh: Mesh, object: AnyConfig): readonly Issue[] {
  if (!isChecked(object)) return [];
  const issues: Issue[] = [];
  const report: Report = (code, path, message) =>
    issues.push({ code, severity: catalogue[code].severity, origin: at(object.origin, path), message });
  for (const { check } of checks[object.kind] as readonly Check<CheckedKind>[]) check(mesh, object, report);
  return issues;
}
