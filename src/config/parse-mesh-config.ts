// MeshConfig stands alone in a file or under the key `mesh` of Istio's ConfigMap; it is no resource.
import type { Checked, Issue, Origin } from '../base/index.ts';
import { catalogue, type IssueCode } from './catalogue.ts';
import { MeshConfig } from './kinds/mesh-config.ts';
import { decode, Findings, pathText } from './schema/index.ts';
import { parseYaml } from './yaml.ts';

export function parseMeshConfig(text: string, file: string): Checked<MeshConfig> {
  const origin: Origin = { kind: 'MeshConfig', namespace: '', name: 'mesh', file, line: 1, path: '' };
  const issue = (code: IssueCode, place: Partial<Origin>, message: string): Issue => ({
    code,
    severity: catalogue[code].severity,
    origin: { ...origin, ...place },
    message,
  });
  if (text.trim() === '') return { value: {}, issues: [] };
  const document = parseYaml({ text: text.replace(/^\ufeff/, ''), line: 1 })[0];
  if (!document) return { value: {}, issues: [] };
  if ('problem' in document)
    return {
      issues: [
        issue(
          document.problem.code,
          { line: document.problem.line, column: document.problem.column },
          document.problem.message,
        ),
      ],
    };
  const { value, findings } = readMeshConfig(document.value);
  const issues = findings.map((finding) =>
    issue(
      finding.code,
      { ...document.positions().find(finding.path), path: pathText(finding.path) },
      finding.message,
    ),
  );
  return value && !issues.some((item) => item.severity === 'error') ? { value, issues } : { issues };
}

export function readMeshConfig(value: unknown): { value?: MeshConfig; findings: Findings['all'] } {
  const findings = new Findings();
  const resource = { kind: 'MeshConfig', namespace: '', name: 'mesh', labels: {}, annotations: {} };
  const decoded = decode(MeshConfig, value ?? {}, { path: [], resource, findings });
  return { ...(decoded ? { value: decoded } : {}), findings: findings.all };
}
