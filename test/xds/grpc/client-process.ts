// A gRPC client in a process of its own, which gets its bootstrap from its environment as every gRPC
// application does.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface, type Interface } from 'node:readline';
import { cacheFolder } from '../../../conformance/runner/environment.ts';
import { reasonToSkipWithout } from '../../real-software.ts';

export interface Calls {
  readonly kind: 'calls';
  readonly target: string;
  readonly method: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  readonly count: number;
  /** Each starts so long after the one before, instead of after its end. */
  readonly everyMs?: number;
}

export type Ask = Calls | { readonly kind: 'serve'; readonly port: number };

export interface CallResult {
  /** https://grpc.github.io/grpc/core/md_doc_statuscodes.html */
  readonly code: number;
  readonly text: string;
  readonly ms: number;
}

export const languages = ['node', 'python'] as const;
export type Language = (typeof languages)[number];

const pythonPackage = 'grpcio==1.85.1';

export function reasonToSkip(language: Language): string | false {
  return reasonToSkipWithout({
    isThere: () => language === 'node' || python() !== undefined,
    install: installPython,
    tests: 'gRPC clients in Python',
    advice: `no ${pythonPackage} for python3: install it, or run once with CI=true`,
  });
}

function environmentFolder(): string {
  return join(cacheFolder, 'python');
}

function python(): string | undefined {
  const candidates = [join(environmentFolder(), 'bin/python'), 'python3'];
  return candidates.find(
    (command) =>
      (command === 'python3' || existsSync(command)) &&
      spawnSync(command, ['-c', 'import grpc']).status === 0,
  );
}

function installPython(): void {
  const folder = environmentFolder();
  for (const [command, ...args] of [
    ['python3', '-m', 'venv', folder],
    [join(folder, 'bin/python'), '-m', 'pip', 'install', '--quiet', pythonPackage],
  ] as const) {
    const { status, error } = spawnSync(command, args, { stdio: ['ignore', 2, 2] });
    if (status !== 0)
      throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? `ended with ${status}`}`);
  }
}

export class ClientProcess {
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #ended = new AbortController();

  constructor(language: Language, xds: string, address = '10.0.0.1') {
    const [program, file] =
      language === 'node' ? [process.execPath, 'client.ts'] : [python() ?? 'python3', 'client.py'];
    this.#child = spawn(program, [join(import.meta.dirname, file)], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, GRPC_XDS_BOOTSTRAP_CONFIG: JSON.stringify(bootstrapOf(xds, address)) },
    });
    this.#child.on('exit', () => this.#ended.abort(new Error(`the client in ${language} ended`)));
    this.#lines = createInterface({ input: this.#child.stdout ?? process.stdin });
  }

  calls(target: string, options: Partial<Calls> = {}): Promise<readonly CallResult[]> {
    const headers = {};
    return this.#ask({
      kind: 'calls',
      target,
      method: '/shop.Shop/Get',
      headers,
      timeoutMs: 10_000,
      count: 1,
      ...options,
    });
  }

  async call(target: string, options: Partial<Calls> = {}): Promise<CallResult> {
    const [result] = await this.calls(target, options);
    if (!result) throw new Error('no result');
    return result;
  }

  async serve(port: number): Promise<void> {
    await this.#ask({ kind: 'serve', port });
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    this.#child.kill('SIGKILL');
    await once(this.#child, 'exit');
  }

  async #ask<T>(ask: Ask): Promise<T> {
    const answer = once(this.#lines, 'line', { signal: this.#ended.signal });
    this.#child.stdin?.write(`${JSON.stringify(ask)}\n`);
    const [line] = await answer;
    return JSON.parse(String(line)) as T;
  }
}

function bootstrapOf(xds: string, address: string): object {
  return {
    xds_servers: [{ server_uri: xds, channel_creds: [{ type: 'insecure' }], server_features: ['xds_v3'] }],
    server_listener_resource_name_template: 'xds.istio.io/grpc/lds/inbound/%s',
    node: {
      id: `sidecar~${address}~shopper.default~default.svc.cluster.local`,
      locality: {},
      metadata: {
        GENERATOR: 'grpc',
        NAMESPACE: 'default',
        CLUSTER_ID: 'Kubernetes',
        LABELS: { app: 'shopper' },
      },
    },
  };
}
