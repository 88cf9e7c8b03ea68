// The page docs/issues.md, made from the catalogue.
import { type CatalogueEntry, catalogue } from './catalogue.ts';

const ranges: readonly (readonly [prefix: string, title: string])[] = [
  ['MT00', 'Files and YAML'],
  ['MT01', 'Fields and validation'],
  ['MT02', 'References between resources'],
  ['MT03', 'Deprecated and old forms'],
  ['MT04', 'Accepted, without effect'],
];

const introduction = `# Findings

Every finding about configuration has a code that stays. \`meltemi validate FILE\` prints them with file, line and column.

- error: the resource is not used; the last good version of it stays in force.
- warning: the resource is used, and something in it probably does not do what was meant.
- info: nothing to do, good to know.

This page is written by \`scripts/issues-document.ts\`.
`;

export function catalogueDocument(): string {
  const entries: readonly (readonly [string, CatalogueEntry])[] = Object.entries(catalogue);
  const sections = ranges.flatMap(([prefix, title]) => {
    const rows = entries.filter(([code]) => code.startsWith(prefix)).map(([code, entry]) => row(code, entry));
    return rows.length === 0
      ? []
      : [
          `## ${title}\n\n| code | severity | what | what to do |\n| --- | --- | --- | --- |\n${rows.join('\n')}\n`,
        ];
  });
  return [introduction, ...sections].join('\n');
}

function row(code: string, { severity, title, action }: CatalogueEntry): string {
  return `| ${code} | ${severity} | ${title} | ${action.replaceAll('|', '\\|')} |`;
}
