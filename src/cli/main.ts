#!/usr/bin/env node
// The command line. Commands are loaded when they are called for, so that each starts fast.
import { Command, CommanderError } from 'commander';
import { useCompileCache } from './compile-cache.ts';
import { exitCodes } from './exit-codes.ts';

useCompileCache();

const version = '0.1.0';

const commands = {
  pilot: async () => (await import('./commands/pilot.ts')).pilotCommand(),
  proxy: async () => (await import('./commands/proxy.ts')).proxyCommand(),
  up: async () => (await import('./commands/up.ts')).upCommand(version),
  validate: async () => (await import('./commands/validate.ts')).validateCommand(),
} as const;

type Name = keyof typeof commands;

const isName = (text: string | undefined): text is Name => text !== undefined && text in commands;

async function main(argv: readonly string[]): Promise<void> {
  const program = new Command('meltemi')
    .description("Istio's traffic management on a laptop, in CI and in a cluster")
    .version(version)
    .showHelpAfterError('(meltemi COMMAND --help tells more)');
  const wanted = argv.find((argument) => !argument.startsWith('-'));
  for (const name of isName(wanted) ? [wanted] : (Object.keys(commands) as Name[]))
    program.addCommand((await commands[name]()).exitOverride());
  program.exitOverride();
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    // Help and version end by the same way, with 0.
    process.exitCode = error.exitCode === 0 ? exitCodes.ok : exitCodes.usage;
  }
}

await main(process.argv.slice(2));
