// The control plane as a process of its own, on a folder that a test fills, and what it serves to a plain xDS
// client.
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { create, fromBinary } from '@bufbuild/protobuf';
import { ClusterSchema } from '@meltemi/envoy-api/envoy/config/cluster/v3/cluster';
import { NodeSchema } from '@meltemi/envoy-api/envoy/config/core/v3/base';
import type { Issue } from '../../src/base/index.ts';
import { discoveryMethods, grpcStreams, SotwClient, typeUrlOf } from '../../src/xds/index.ts';
import { ProcessFacts } from './process-facts.ts';

const program = resolve(import.meta.dirname, '../../src/cli/main.ts');
const patienceMs = 30_000;

export class PilotProcess {
  readonly parent = mkdtempSync(join(tmpdir(), 'meltemi-hostile-'));
  readonly folder = join(this.parent, 'config');
  readonly facts: ProcessFacts;
  readonly issues: Issue[] = [];
  readonly #process: ChildProcess;
  readonly #waiting = new Set<() => void>();
  readonly #clients: SotwClient[] = [];
  #address = '';
  #log = '';

  private constructor(prepare: (folder: string) => void, xds: string) {
    prepare(this.folder);
    const args = [program, 'pilot', '--config', this.folder, '--xds', xds, '--output', 'json'];
    this.#process = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.facts = new ProcessFacts(this.#process.pid ?? 0);
    for (const stream of [this.#process.stdout, this.#process.stderr])
      if (stream) createInterface(stream).on('line', (line) => this.#line(line));
  }

  /** Runs a pilot until it serves; `prepare` makes the folder. */
  static async start(prepare: (folder: string) => void, xds = '127.0.0.1:0'): Promise<PilotProcess> {
    const pilot = new PilotProcess(prepare, xds);
    await pilot.until('its address', () => pilot.#address !== '' || !pilot.alive);
    return pilot;
  }

  get address(): string {
    return this.#address;
  }

  get pid(): number {
    return this.#process.pid ?? 0;
  }

  get log(): string {
    return this.#log;
  }

  get alive(): boolean {
    return this.#process.exitCode === null && this.#process.signalCode === null;
  }

  write(name: string, text: string | Uint8Array): void {
    writeFileSync(join(this.folder, name), text);
  }

  /**
   * Resolves once this holds; looked at whenever the pilot says something, or a client of ours receives
   * something.
   */
  until(what: string, holds: () => boolean): Promise<void> {
    return new Promise((done, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
      };
      const look = (): void => {
        if (!holds()) return;
        end();
        done();
      };
      const timer = setTimeout(() => {
        end();
        reject(
          new Error(`the pilot does not come to ${what} in ${patienceMs} ms: ${this.#log.slice(-2000)}`),
        );
      }, patienceMs);
      this.#waiting.add(look);
      look();
    });
  }

  /** Follows the hosts that a sidecar has clusters for. */
  follow(): { readonly hosts: ReadonlySet<string> } {
    const followed = { hosts: new Set<string>() };
    const client = new SotwClient({
      open: grpcStreams({ address: this.#address }, discoveryMethods.aggregated),
      node: create(NodeSchema, {
        id: 'sidecar~10.9.9.9~x.default~default.svc.cluster.local',
        metadata: { NAMESPACE: 'default' },
      }),
      timers: {
        after: (ms, run) => {
          const timer = setTimeout(run, ms);
          return { cancel: () => clearTimeout(timer) };
        },
        random: () => 0,
      },
    });
    this.#clients.push(client);
    client.subscribe(typeUrlOf('cluster'), [], (resources) => {
      const names = resources.map(({ value }) => fromBinary(ClusterSchema, value).name.split('|')[3] ?? '');
      followed.hosts = new Set(names.filter((name) => name !== ''));
      for (const look of this.#waiting) look();
      return [];
    });
    client.start();
    return followed;
  }

  signal(signal: NodeJS.Signals): void {
    this.#process.kill(signal);
  }

  /** The exit code, or the signal that ended it. */
  async ended(): Promise<number | NodeJS.Signals | null> {
    if (this.alive) await once(this.#process, 'exit');
    return this.#process.exitCode ?? this.#process.signalCode;
  }

  async stop(): Promise<void> {
    for (const client of this.#clients) client.stop();
    this.signal('SIGKILL');
    await this.ended();
    rmSync(this.parent, { recursive: true, force: true });
  }

  #line(line: string): void {
    this.#log = `${this.#log}${line.slice(0, 4000)}\n`.slice(-200_000);
    if (line.startsWith('{"issue"')) this.issues.push((JSON.parse(line) as { issue: Issue }).issue);
    if (line.startsWith('{"ready"')) this.#address = (JSON.parse(line) as { xds: string }).xds;
    for (const look of this.#waiting) look();
  }
}

/** A host of its own on a port of its own. */
export function entry(name: string, port = 80): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: {name: ${name}}
spec: {hosts: [${name}.example.com], ports: [{number: ${port}, name: http, protocol: HTTP}], resolution: STATIC, endpoints: [{address: 127.0.0.1}]}
`;
}
