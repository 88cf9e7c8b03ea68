// `meltemi pilot`: the control plane alone, for proxies that find it by its xDS address.
import { existsSync, readFileSync } from 'node:fs';
import { Command, Option } from 'commander';
import { hasErrors, type Issue, printable } from '../../base/index.ts';
import { formatIssues, formatSummary, type MeshConfig, parseMeshConfig } from '../../config/index.ts';
import { Pilot, type PilotEvent } from '../../control-plane/index.ts';
import { readFeatures } from '../../mesh/index.ts';
import { type ConfigUpdate, FileSource } from '../../sources/index.ts';
import { exitCodes } from '../exit-codes.ts';
import { FindingLog } from '../finding-log.ts';
import { standingLines } from '../standing.ts';

interface PilotFlags {
  readonly config: readonly string[];
  readonly meshConfig?: string;
  readonly xds: string;
  readonly domain: string;
  readonly output: 'text' | 'json';
}

/** An Envoy says in one message what is wrong with every resource of a response. */
const mostOfMessage = 2000;
/** Of the resources that a proxy refuses. A refusal may be about all that there are. */
const mostNamed = 10;

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

export function pilotCommand(): Command {
  return new Command('pilot')
    .description('Serve configuration to proxies over xDS')
    .addOption(
      new Option(
        '--config <path>',
        'file or folder with Istio and Kubernetes resources; may be given several times',
      )
        .argParser(collect)
        .default([], 'none'),
    )
    .option('--mesh-config <file>', 'MeshConfig as YAML')
    .option('--xds <host:port>', 'address to serve plaintext xDS on', '127.0.0.1:15010')
    .option('--domain <suffix>', 'DNS suffix of the cluster', 'cluster.local')
    .addOption(new Option('--output <format>', 'form of messages').choices(['text', 'json']).default('text'))
    .addHelpText(
      'after',
      `
The configuration is watched: an edit takes effect at once, and a resource with an error in it keeps its last good version. Findings, and proxies that come,
go or refuse something, are told on standard error.

SIGHUP has the files read again, where a file system does not tell of changes. Over plaintext xDS private keys are given to proxies on this machine
only: listen on a loopback address or on unix:PATH for gateways with certificates.

Environment, with the names and defaults of Istio's control plane:
  ENABLE_TLS_ON_SIDECAR_INGRESS=true               listeners of a Sidecar's ingress end the TLS that they declare
  PILOT_ENABLE_HEADLESS_FILTER_CHAIN_LISTENER=true a TCP port of a headless service is one listener, with a filter chain a pod

Examples:
  meltemi pilot --config ./istio
  meltemi pilot --config services.yaml --config rules/ --mesh-config mesh.yaml --xds 0.0.0.0:15010
`,
    )
    .action(runPilot);
}

async function runPilot(flags: PilotFlags): Promise<void> {
  const meshConfig = readMesh(flags);
  if (!meshConfig) return;
  const source = new FileSource({ paths: flags.config });
  const pilot = new Pilot({
    domain: flags.domain,
    meshConfig,
    features: readFeatures(process.env),
    onEvent: (event) => tell(event, flags),
  });
  const missing = flags.config.filter((path) => !existsSync(path));
  if (missing.length > 0) {
    fail(flags, `--config ${missing.join(' and ')}: there is no such file or folder`);
    return;
  }
  const findings = new FindingLog();
  pilot.subscribe(({ kind }) => {
    if (kind !== 'applied') return;
    const issues = [...source.issues, ...pilot.issues.map((issue) => source.place(issue))];
    const { fresh, isSolved } = findings.next(issues);
    report(fresh, pilot.size, flags, standingLines(fresh, { source, pilot }));
    if (isSolved && flags.output === 'text') process.stderr.write('all findings are solved\n');
  });
  const take = (update: ConfigUpdate): void => pilot.offer({ kind: 'update', source: 'files', update });
  take(source.load());
  const server = await pilot
    .serve(flags.xds)
    .catch((error: unknown) =>
      fail(flags, `cannot serve xDS on ${flags.xds}: ${reason(error)}; choose another address with --xds`),
    );
  if (!server) return;
  source.watch(take);
  const stop = (): void => {
    source.close();
    void server.close().then(() => process.exit(exitCodes.ok));
  };
  process.once('SIGINT', stop);
  process.once('SIGTERM', stop);
  // Files are followed; on a file system that does not tell of changes this is the way to have them read.
  process.on('SIGHUP', () => take(source.load()));
  // Last of all: who waits for this line may send a signal at once.
  say(
    flags,
    { ready: true, xds: server.address, resources: pilot.size },
    `serving ${pilot.size} resources on ${server.address}`,
  );
}

function readMesh(flags: PilotFlags): MeshConfig | undefined {
  if (!flags.meshConfig) return {};
  let text: string;
  try {
    text = readFileSync(flags.meshConfig, 'utf8');
  } catch (error) {
    return fail(flags, `--mesh-config ${flags.meshConfig} cannot be read: ${reason(error)}`);
  }
  const { value, issues } = parseMeshConfig(text, flags.meshConfig);
  report(issues, 1, flags);
  return value && !hasErrors(issues) ? value : fail(flags, `${flags.meshConfig} has errors`);
}

/** Findings go to standard error: standard output is for data. */
function report(
  issues: readonly Issue[],
  resources: number,
  flags: PilotFlags,
  standing: readonly string[] = [],
): void {
  if (issues.length === 0) return;
  const objects = [...issues.map((issue) => ({ issue })), ...standing.map((line) => ({ standing: line }))];
  const lines = [...formatIssues(issues), ...standing, formatSummary(issues, resources)];
  process.stderr.write(
    `${(flags.output === 'json' ? objects.map((object) => JSON.stringify(object)) : lines).join('\n')}\n`,
  );
}

/**
 * What happens to proxies, on standard error as well. Answers that only confirm are not worth a line each.
 */
function tell(event: PilotEvent, flags: PilotFlags): void {
  const text = eventText(event);
  if (text === undefined) return;
  process.stderr.write(`${flags.output === 'json' ? JSON.stringify({ event: dataOf(event) }) : text}\n`);
}

/** Of resources the names and versions, without their bytes; of many the first ones and how many there are. */
function dataOf(event: PilotEvent): object {
  if (event.kind === 'failed') return { ...event, error: reason(event.error) };
  if (event.kind !== 'refused') return event;
  const { resources, ...rest } = event;
  const named = resources.slice(0, mostNamed).map(({ name, version }) => ({ name, version }));
  return { ...rest, resources: named, resourceCount: resources.length };
}

function eventText(event: PilotEvent): string | undefined {
  switch (event.kind) {
    case 'connected':
    case 'disconnected':
      return `proxy ${printable(event.proxy)} ${event.kind}`;
    case 'refused':
      return `proxy ${printable(event.proxy)} refused ${event.type} resources and keeps what it had: ${printable(event.message, mostOfMessage)}`;
    case 'secrets':
      return secretsText(event);
    case 'failed':
      return `${printable(event.what)} could not be made, which is a defect of meltemi; proxies keep what they had: ${stack(event.error)}`;
    case 'acknowledged':
    case 'applied':
    case 'pushed':
      return undefined;
  }
}

function secretsText({ proxy, given }: Extract<PilotEvent, { kind: 'secrets' }>): string {
  const who = `proxy ${printable(proxy)}`;
  return given
    ? `${who} is given private keys over plaintext xDS, on its word: it is on this machine`
    : `${who} asks for private keys and gets none: xDS is plaintext here, and not only on this machine (--xds 127.0.0.1:PORT or unix:PATH)`;
}

function stack(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

function say(flags: PilotFlags, data: object, text: string): void {
  process.stdout.write(`${flags.output === 'json' ? JSON.stringify(data) : text}\n`);
}

function fail(flags: PilotFlags, message: string): undefined {
  if (flags.output === 'json') process.stdout.write(`${JSON.stringify({ fatal: message })}\n`);
  process.stderr.write(`meltemi pilot: ${message}\n`);
  process.exitCode = exitCodes.usage;
  return undefined;
}

function reason(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
