// `meltemi up`: a mesh on this machine, from a folder of YAML.
import { statSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { formatIssues } from '../../config/index.ts';
import { FileSource } from '../../sources/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { Console } from '../up/console.ts';
import { allOf, ProcessGuard } from '../up/guard.ts';
import { Ingress } from '../up/ingress.ts';
import { Ports } from '../up/ports.ts';
import { RunRecord } from '../up/run-record.ts';
import { UpSession } from '../up/up-session.ts';

export interface UpFlags {
  readonly gatewayPort: number;
  readonly xdsPort: number;
  readonly host: string;
  readonly logs?: boolean;
  readonly output: 'text' | 'json';
}

const help = `
The folder holds Istio's resources (Gateway, VirtualService, DestinationRule, ServiceEntry, ...), Kubernetes Services, and a Process
for each workload to start:

  apiVersion: meltemi.dev/v1
  kind: Process
  metadata: {name: reviews-v1}
  spec:
    labels: {app: reviews, version: v1}        what Services and subsets select by
    serviceAccount: reviews                    its identity in mutual TLS
    command: [node, app/reviews.ts]            relative to the file
    ports: [{name: http, port: 9080}]          what Services call it; it listens on the port in the variable PORT
    replicas: 2
    env: {STARS: black}

Each workload gets a sidecar of its own. Calls reach the mesh through the variables HTTP_PROXY and http_proxy, as http://reviews:9080.
The folder is watched: an edit takes effect at once, a broken one is reported and the last good version goes on serving.

Examples:
  meltemi up examples/bookinfo
  meltemi up . --gateway-port 9000 --logs
  meltemi up . --output json                   one JSON object for each event
`;

export function upCommand(version: string): Command {
  return new Command('up')
    .description(
      'Run the workloads of a folder as a mesh on this machine: control plane, gateway and a sidecar for each',
    )
    .argument('<folder>', 'folder with the YAML files')
    .addOption(
      new Option('--gateway-port <port>', 'port for port 80 of the Gateways; 0 takes any free one')
        .argParser(portNumber)
        .default(8080),
    )
    .addOption(
      new Option('--xds-port <port>', 'port of the control plane; 0 takes any free one')
        .argParser(portNumber)
        .default(15010),
    )
    .option(
      '--host <address>',
      'address that the gateway listens on; 0.0.0.0 for other machines to reach it',
      '127.0.0.1',
    )
    .option('--logs', 'print what the workloads print')
    .addOption(new Option('--output <format>', 'form of messages').choices(['text', 'json']).default('text'))
    .addHelpText('after', help)
    .action((folder: string, flags: UpFlags) => runUp(folder, flags, version));
}

async function runUp(folder: string, flags: UpFlags, version: string): Promise<void> {
  const console = new Console({
    output: flags.output,
    write: (text) => process.stdout.write(text),
    now: () => new Date(),
  });
  const problem = folderProblem(folder);
  if (problem) return fail(problem);
  const source = new FileSource({ paths: [folder] });
  const first = source.load();
  if (!first.changed.some((object) => object.kind === 'Process'))
    return fail(noProcess(folder, first.changed.length), formatIssues(first.issues));
  const ports = new Ports();
  const record = new RunRecord(folder);
  const leftovers = record.endLeftovers();
  if (leftovers.length > 0)
    console.notice(`ended ${leftovers.length} processes that an earlier run had left behind`, [
      `process ${leftovers.join(', ')}`,
    ]);
  const session = new UpSession({
    folder,
    version,
    host: flags.host,
    logs: flags.logs ?? false,
    source,
    ports,
    guard: allOf([new ProcessGuard(), record]),
    console,
    makeIngress: (start) =>
      new Ingress({
        ports,
        host: flags.host,
        httpPort: flags.gatewayPort,
        start,
        onMoved: (wanted, taken) =>
          console.notice(
            `port ${wanted} is taken: the gateway listens on ${taken} (choose with --gateway-port)`,
          ),
      }),
  });
  endOnSignal(session);
  const xdsPort = await ports.near(flags.xdsPort, '127.0.0.1');
  if (xdsPort !== flags.xdsPort && flags.xdsPort !== 0)
    console.notice(
      `port ${flags.xdsPort} is taken: the control plane listens on ${xdsPort} (choose with --xds-port)`,
    );
  await session.startApplications(first);
  // Loaded only now: the applications start meanwhile.
  const { Control } = await import('../up/control.ts');
  await session.serve(await Control.start({ xdsPort, log: (message) => console.notice(message) }), first);
}

function endOnSignal(session: UpSession): void {
  let ending = false;
  const end = (): void => {
    if (ending) process.exit(exitCodes.ok);
    ending = true;
    void session.stop().finally(() => process.exit(exitCodes.ok));
  };
  process.on('exit', () => session.kill());
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  if (process.env['npm_lifecycle_event']) endWithParent(end);
}

const parentPollMs = 500;

/** `npm start` does not always pass a signal on, and what it leaves behind nobody would find. */
function endWithParent(end: () => void): void {
  const parent = process.ppid;
  const timer = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(timer);
    end();
  }, parentPollMs);
  timer.unref();
}

function folderProblem(folder: string): string | undefined {
  try {
    return statSync(folder).isDirectory() ? undefined : `${folder} is a file: give the folder that it is in`;
  } catch {
    return `there is no folder ${folder}; \`meltemi up examples/bookinfo\` shows what one looks like`;
  }
}

function noProcess(folder: string, resources: number): string {
  const what =
    resources === 0 ? 'no resources' : `${resources} resource${resources === 1 ? '' : 's'} but no Process`;
  return `${folder} holds ${what}: add a YAML file with a Process for each workload to run (\`meltemi up --help\` shows one)`;
}

function fail(message: string, details: readonly string[] = []): void {
  process.stderr.write(`${[...details, `meltemi up: ${message}`].join('\n')}\n`);
  process.exitCode = exitCodes.usage;
}

function portNumber(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535 && text.trim() !== '') return port;
  throw new InvalidArgumentError('a port is a number from 0 to 65535');
}
