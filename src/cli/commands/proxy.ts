// `meltemi proxy`: runs the embedded proxy from an Envoy bootstrap, with Envoy's own flags.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { type Bootstrap, readBootstrap, startProxy } from '../../proxy/index.ts';
import { exitCodes } from '../exit-codes.ts';

interface Flags {
  readonly configPath?: string;
  readonly configYaml?: string;
  readonly logLevel: string;
  readonly drainTimeS: string;
}

const quiet = new Set(['error', 'critical', 'off']);

export function proxyCommand(): Command {
  return new Command('proxy')
    .description('run a proxy from an Envoy bootstrap file, configured over xDS')
    .option('-c, --config-path <file>', 'bootstrap file (JSON)')
    .option('--config-yaml <text>', 'bootstrap as text (JSON)')
    .option('-l, --log-level <level>', 'trace, debug, info, warning, error', 'info')
    .option('--drain-time-s <seconds>', 'how long connections may go on after their listener changed', '600')
    .option('--concurrency <n>', 'accepted for compatibility; one thread serves')
    .option('--base-id <n>', 'accepted for compatibility')
    .addHelpText(
      'after',
      `
The proxy takes an Envoy bootstrap (node, admin, static clusters, ADS) and is configured over xDS by whatever serves it: meltemi pilot, or Istio's
own control plane. It can stand where an Envoy binary was; Envoy's other flags are accepted and ignored.

Examples:
  meltemi proxy -c bootstrap.json
  meltemi proxy -c /etc/istio/proxy/envoy-rev.json --drain-time-s 45 --concurrency 2 -l warning
`,
    )
    .allowUnknownOption()
    .allowExcessArguments()
    .action((flags: Flags) => run(flags));
}

async function run(flags: Flags): Promise<void> {
  const bootstrap = bootstrapOf(flags);
  if (!bootstrap) return;
  const end = async (): Promise<void> => {
    await proxy.stop();
    process.exit(0);
  };
  const proxy = await startProxy(bootstrap, {
    drainMs: Number(flags.drainTimeS) * 1000,
    log: (level, message) => {
      if (!quiet.has(flags.logLevel) && (level === 'warn' || flags.logLevel !== 'warning'))
        process.stderr.write(`[${new Date().toISOString()}] ${level} ${message}\n`);
    },
    quit: () => void end(),
  });
  // A terminal that closes, or logrotate.
  process.on('SIGHUP', () => {});
  process.once('SIGTERM', () => void end());
  process.once('SIGINT', () => void end());
}

/** Says on standard error what is wrong with the file, and how the command wants to be called. */
function bootstrapOf({ configPath, configYaml }: Flags): Bootstrap | undefined {
  const source = configPath ?? 'the text of --config-yaml';
  try {
    const text = configPath === undefined ? configYaml : readFileSync(configPath, 'utf8');
    if (text !== undefined) return readBootstrap(text);
    process.stderr.write('meltemi proxy: give a bootstrap with -c FILE; `meltemi proxy --help` tells more\n');
  } catch (error) {
    process.stderr.write(
      `meltemi proxy: ${source} is not a bootstrap that can be read: ${error instanceof Error ? error.message : String(error)}\n`,
    );
  }
  process.exitCode = exitCodes.usage;
  return undefined;
}
