// Where the runner stands: the checkout's paths, and what a run needs of the machine.
import { spawnSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';

export const checkout = resolve(import.meta.dirname, '../..');
export const casesFolder = join(checkout, 'conformance');
export const baselineFolder = join(casesFolder, 'baseline');
export const cacheFolder = join(checkout, '.cache');
/** The resources that another control plane sent for each case; not a part of the project. */
export const recordedFolder = resolve(checkout, '../shared/conformance-xds');
export const commandLine = join(checkout, 'src/cli/main.ts');

/** The run cannot be made here: nothing was tested, and nothing may be counted. */
export class CannotRun extends Error {
  override readonly name = 'CannotRun';
}

const tools = [
  { command: 'ip', package: 'iproute2' },
  { command: 'iptables', package: 'iptables' },
] as const;

/** Debian packages whose commands are absent. */
export function missingPackages(): readonly string[] {
  return tools
    .filter(({ command }) => spawnSync(command, ['-V'], { stdio: 'ignore' }).error !== undefined)
    .map((tool) => tool.package);
}

export function requireNetworkNamespaces(): void {
  if (process.platform !== 'linux')
    throw new CannotRun('the cases run in network namespaces, which only Linux has');
  if (process.getuid?.() !== 0)
    throw new CannotRun('the cases run in network namespaces, which only root can make: run as root');
  const missing = missingPackages();
  if (missing.length > 0) throw new CannotRun(`commands are absent: apt-get install ${missing.join(' ')}`);
}

/** Whether any user may read below the path; a proxy that runs under its own user must. */
export function isOpenToAll(path: string): boolean {
  for (let at = path; ; at = dirname(at)) {
    if (!existsSync(at) || (statSync(at).mode & 0o001) === 0) return false;
    if (at === dirname(at)) return true;
  }
}
