// `meltemi validate`: what is wrong with configuration files, without starting anything.
import { type Dirent, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Command, Option } from 'commander';
import { hasErrors, type Issue } from '../../base/index.ts';
import { catalogue, formatIssues, formatSummary, parseFiles, parseMeshConfig, type SourceText } from '../../config/index.ts';

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

Exit codes:
  0  no errors (there may be warnings)
  1  at least one error
  2  a file could not be read, or the command line is wrong

Every finding has a code; docs/issues.md says what each means and what to do.
`;

export function validateCommand(io: ValidateIo = processIo): Command {
  return new Command('validate')
    .description('Check Istio, Gateway API and Kubernetes configuration files, with file and line of everything that is wrong.')
    .argument('<path...>', 'files or directories; - reads standard input')
    .option('--mesh-config <file>', 'check this MeshConfig as well')
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

function check(paths: readonly string[], { meshConfig }: ValidateOptions, io: ValidateIo): Report {
  const unreadable: Issue[] = [];
  const read = (path: string): SourceText[] => {
    try {
      return [{ file: path === '-' ? 'stdin' : path, text: path === '-' ? io.readInput() : readFileSync(path, 'utf8') }];
    } catch (error) {
      unreadable.push(unreadableIssue(path, error));
      return [];
    }
  };
  const files = paths.flatMap((path) =>
    path === '-' ? [path] : filesBelow(path, (error) => unreadable.push(unreadableIssue(path, error))),
  );
  const parsed = parseFiles([...new Set(files)].flatMap(read));
  const meshIssues = (meshConfig === undefined ? [] : read(meshConfig)).flatMap(({ text, file }) => parseMeshConfig(text, file).issues);
  return {
    issues: [...unreadable, ...meshIssues, ...parsed.issues],
    resources: parsed.resources.length + parsed.rejected.length,
    unreadable: unreadable.length > 0,
  };
}

function filesBelow(path: string, onError: (error: unknown) => void): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
    const entries = readdirSync(path, { withFileTypes: true }).sort((a, b) => (a.name < b.name ? -1 : 1));
    return entries.flatMap((entry) => filesOfEntry(path, entry, onError));
  } catch (error) {
    onError(error);
    return [];
  }
}

function filesOfEntry(directory: string, entry: Dirent, onError: (error: unknown) => void): string[] {
  const path = join(directory, entry.name);
  if (entry.name.startsWith('.') || entry.name === 'node_modules') return [];
  if (entry.isDirectory()) return filesBelow(path, onError);
  return /\.(ya?ml|json)$/.test(entry.name) ? [path] : [];
}

function unreadableIssue(file: string, error: unknown): Issue {
  const reason = error instanceof Error ? error.message : String(error);
  return {
    code: 'MT0010',
    severity: catalogue.MT0010.severity,
    origin: { kind: '', namespace: '', name: '', path: '', file },
    message: `cannot be read: ${reason}`,
  };
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
