// exportTo: to which namespaces a resource is shown.
import type { Path, RuleContext } from '../schema/index.ts';
import { isDnsLabel } from './names.ts';

export interface ExportToOptions {
  readonly isServiceEntry?: boolean;
  readonly hasWorkloadSelector?: boolean;
}

export function checkExportTo(
  exportTo: readonly string[] | undefined,
  context: RuleContext,
  options: ExportToOptions = {},
): void {
  const entries = exportTo ?? [];
  const path: Path = ['exportTo'];
  const own = context.resource.namespace;
  const resolved = entries.map((entry) => (entry === '.' ? own : entry));
  entries.forEach((entry, i) => {
    checkEntry(entry, [...path, i], context, options);
  });
  resolved.forEach((entry, i) => {
    if (resolved.indexOf(entry) < i)
      context.report('MT0112', [...path, i], `"${entries[i]}" is listed twice`);
  });
  if (entries.length > 1 && entries.includes('*'))
    context.report('MT0112', path, '"*" (everybody) cannot stand beside other entries');
  if (entries.length > 1 && options.isServiceEntry && entries.includes('~'))
    context.report('MT0112', path, '"~" (nobody) cannot stand beside other entries');
  if (options.hasWorkloadSelector && resolved.some((entry) => entry !== own)) {
    context.report(
      'MT0112',
      path,
      'a rule with a workloadSelector is for its own namespace only: write "." or leave it out',
    );
  }
}

function checkEntry(
  entry: string,
  path: Path,
  context: RuleContext,
  { isServiceEntry }: ExportToOptions,
): void {
  if (entry === '~' && isServiceEntry) return;
  if (entry === '.' || entry === '*' || isDnsLabel(entry)) return;
  context.report('MT0112', path, `"${entry}" is not possible; write ".", "*" or the name of a namespace`);
}
