// What the kernel knows of a process: memory, descriptors, processor time (Linux).
import { readdirSync, readFileSync } from 'node:fs';

const ticksPerSecond = 100;

export class ProcessFacts {
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  /** Resident memory in MB. */
  get memory(): number {
    return this.#status('VmRSS');
  }

  get peakMemory(): number {
    return this.#status('VmHWM');
  }

  get descriptors(): number {
    return readdirSync(`/proc/${this.#pid}/fd`).length;
  }

  /** Seconds of processor time so far. */
  get processorTime(): number {
    const fields = readFileSync(`/proc/${this.#pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) / ticksPerSecond;
  }

  #status(name: string): number {
    const line = new RegExp(`^${name}:\\s+(\\d+) kB`, 'm').exec(
      readFileSync(`/proc/${this.#pid}/status`, 'utf8'),
    );
    return Number(line?.[1] ?? 0) / 1024;
  }
}
