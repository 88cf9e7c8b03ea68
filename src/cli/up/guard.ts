// Ends what we started when we are ended without a chance to (kill -9, out of memory): a shell that holds the
// other end of a pipe.
import { type ChildProcess, spawn } from 'node:child_process';

export interface Guard {
  add(pid: number): void;
  remove(pid: number | undefined): void;
}

/** Lines `+ PID` and `- PID` name the process groups; the end of the input is our end. */
const script = `
trap '' INT TERM HUP
groups=' '
while read -r what group; do
  case $what in
    +) groups="$groups$group " ;;
    -) case $groups in *" $group "*) groups="\${groups%% $group *} \${groups#* $group }" ;; esac ;;
  esac
done
for group in $groups; do kill -TERM "-$group" 2>/dev/null; done
[ "$groups" = ' ' ] || sleep 1
for group in $groups; do kill -KILL "-$group" 2>/dev/null; done
`;

export class ProcessGuard implements Guard {
  readonly #shell: ChildProcess | undefined;

  constructor() {
    if (process.platform === 'win32') return;
    this.#shell = spawn('/bin/sh', ['-c', script], {
      stdio: ['pipe', 'ignore', 'ignore'],
      detached: true,
      cwd: '/',
    });
    this.#shell.on('error', () => {});
    this.#shell.stdin?.on('error', () => {});
    this.#shell.unref();
  }

  add(pid: number): void {
    this.#shell?.stdin?.write(`+ ${pid}\n`);
  }

  remove(pid: number | undefined): void {
    if (pid !== undefined) this.#shell?.stdin?.write(`- ${pid}\n`);
  }
}

export function allOf(guards: readonly Guard[]): Guard {
  return {
    add: (pid) => {
      for (const guard of guards) guard.add(pid);
    },
    remove: (pid) => {
      for (const guard of guards) guard.remove(pid);
    },
  };
}
