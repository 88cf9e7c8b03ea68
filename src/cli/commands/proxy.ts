// `meltemi proxy`: runs the embedded proxy from an Envoy bootstrap, with Envoy's own flags.
import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { readBootstrap, startProxy } from '../../proxy/index.ts';

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
    .allowUnknownOption()
    .allowExcessArguments()
    .action((flags: Flags) => run(flags));
}

async function run(flags: Flags): Promise<void> {
  const text = flags.configPath === undefined ? flags.configYaml : readFileSync(flags.configPath, 'utf8');
  if (text === undefined) throw new Error('give a bootstrap: -c FILE');
  const end = async (): Promise<void> => {
    await proxy.stop();
    process.exit(0);
  };
  const proxy = await startProxy(readBootstrap(text), {
    drainMs: Number(flags.drainTimeS) * 1000,
    log: (level, message) => {
      if (!quiet.has(flags.logLevel) && (level === 'warn' || flags.logLevel !== 'warning'))
        process.stderr.write(`[${new Date().toISOString()}] ${level} ${message}\n`);
    },
    quit: () => void end(),
  });
  process.once('SIGTERM', () => void end());
  process.once('SIGINT', () => void end());
}
