// `meltemi validate`: what is wrong with configuration files, without starting anything.
import { readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { type Checked, hasErrors, type Issue } from '../../base/index.ts';
import { formatIssues, formatSummary, type MeshConfig, parseMeshConfig } from '../../config/index.ts';
import { FileSource, readText } from '../../sources/index.ts';
import { analyze } from '../../tools/index.ts';

/** What the command touches outside itself; a test gives its own. */
export interface ValidateIo {
  readonly write: (text: string) => void;
  readonly readInput: () => string;
  readonly setExitCode: (code: number) => void;
}

export interface ValidateOptions {
  readonly meshConfig?: string;
  readonly output: 'text' | 'json';
}

interface Report {
  readonly issues: readonly Issue[];
  readonly resources: number;
  readonly unreadable: boolean;
}

const processIo: ValidateIo = {
  write: (text) => process.stdout.write(text),
  readInput: () => readFileSync(0, 'utf8'),
  setExitCode: (code) => {
    process.exitCode = code;
  },
};

const examples = `
Examples:
  meltemi validate shop.yaml                      one file
  meltemi validate config/                        every .yaml, .yml and .json below a directory
  kubectl get vs,dr,gw,se -A -o yaml | meltemi validate -
  meltemi validate config/ --output json          the same findings for a program

Names are looked up among the files given: hosts when there is a Service or ServiceEntry among them, gateways when there is a Gateway.

Exit codes:
  0  no errors (there may be warnings)
  1  at least one error
  2  a file could not be read, or the command line is wrong

Every finding has a code; docs/issues.md says what each means and what to do.
`;

export function validateCommand(io: ValidateIo = processIo): Command {
  return new Command('validate')
    .description(
      'Check Istio, Gateway API and Kubernetes configuration files, with file and line of everything that is wrong, in each file and between them.',
    )
    .argument('<path...>', 'files or directories; - reads standard input')
    .option('--mesh-config <file>', 'the mesh that the files are for: check this MeshConfig as well')
    .addOption(new Option('--output <format>', 'how to print').choices(['text', 'json']).default('text'))
    .addHelpText('after', examples)
    .action((paths: string[], options: ValidateOptions) => io.setExitCode(validate(paths, options, io)));
}

/** Prints the findings and returns the exit code. */
export function validate(paths: readonly string[], options: ValidateOptions, io: ValidateIo): 0 | 1 | 2 {
  const report = check(paths, options, io);
  io.write(options.output === 'json' ? jsonText(report) : plainText(report));
  if (report.unreadable) return 2;
  return hasErrors(report.issues) ? 1 : 0;
}

function check(paths: readonly string[], { meshConfig: meshFile }: ValidateOptions, io: ValidateIo): Report {
  const texts = paths.includes('-') ? [{ file: 'stdin', text: io.readInput() }] : [];
  const source = new FileSource({ paths: [...new Set(paths)].filter((path) => path !== '-'), texts });
  const { changed, issues } = source.load();
  source.close();
  const mesh = meshFile === undefined ? { issues: [] } : readMesh(meshFile);
  const together = analyze(changed, mesh.value ? { meshConfig: mesh.value } : {}).map((issue) =>
    source.place(issue),
  );
  const all = [...mesh.issues, ...issues, ...together];
  return { issues: all, resources: source.found, unreadable: all.some(({ code }) => code === 'MT0010') };
}

function readMesh(file: string): Checked<MeshConfig> {
  const read = readText(file);
  return 'source' in read ? parseMeshConfig(read.source.text, file) : { issues: read.problem.issues };
}

/** Resources meant for other programs are normal in a directory: they are counted, not listed. */
function plainText({ issues, resources }: Report): string {
  const shown = issues.filter((issue) => issue.code !== 'MT0005');
  const others = issues.length - shown.length;
  const passedOver = others === 0 ? '' : `; ${others} of other kinds passed over`;
  return `${[...formatIssues(shown), formatSummary(shown, resources) + passedOver].join('\n')}\n`;
}

function jsonText({ issues, resources }: Report): string {
  return `${JSON.stringify({ resources, issues }, null, 2)}\n`;
}
