// Runs cases one after the other in a pair of namespaces of its own. Only pilot and proxy are new in each
// case.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { stringify } from 'yaml';
import { portsOf, resourcesOf, serverAddress } from './addresses.ts';
import type { Refusal } from './agent/calls.ts';
import { AgentProcess } from './agent-process.ts';
import { bootstrapOf, xdsPort } from './bootstrap.ts';
import type { Case, Outcome, Request } from './case.ts';
import type { Certificates } from './certificates.ts';
import { compare } from './compare.ts';
import type { Engine } from './engine.ts';
import { commandLine } from './environment.ts';
import { Exchange } from './exchange.ts';
import { createNamespaces, endProcesses, type Namespaces, removeNamespaces } from './namespaces.ts';

/** Where a case's resources come from. */
export type Source =
  | { readonly kind: 'pilot' }
  /** The pilot as a process of its own. */
  | { readonly kind: 'command' }
  | { readonly kind: 'recorded'; readonly json: string };

export interface Observed {
  readonly differences: readonly string[];
  readonly outcomes: readonly Outcome[];
  readonly findings: readonly string[];
  readonly log: string;
  readonly ms: number;
  readonly dump?: string;
}

export interface WorkerOptions {
  readonly name: string;
  readonly engine: Engine;
  readonly certificates: Certificates;
  readonly isVerbose: boolean;
  readonly isDumped: boolean;
}

interface Agents {
  readonly server: AgentProcess;
  readonly client: AgentProcess;
  /**
   * Stands beside the client and runs pilot, proxy and secret service, so that their work does not disturb
   * the client's clock.
   */
  readonly control: AgentProcess;
}

const readyTimeoutMs = 15_000;
const logInDifference = 600;

export class Worker {
  readonly #options: WorkerOptions;
  readonly #namespaces: Namespaces;
  readonly #folder = mkdtempSync(join(tmpdir(), 'meltemi-conformance-'));
  #agents: Agents | undefined;

  constructor(options: WorkerOptions) {
    this.#options = options;
    this.#namespaces = createNamespaces(options.name);
  }

  /**
   * What the case's configuration does, against what was recorded. Throws only when the runner itself is
   * broken.
   */
  async run(one: Case, source: Source): Promise<Observed> {
    const start = performance.now();
    this.#agents ??= this.#startAgents();
    const agents = this.#agents;
    try {
      const observed = await this.#observe(one, source, agents);
      return { ...observed, ms: Math.round(performance.now() - start) };
    } catch (error) {
      // The agents may be in any state, and what they started may still hold its ports.
      this.#stopAgents();
      endProcesses(this.#namespaces);
      throw error;
    }
  }

  close(): void {
    this.#stopAgents();
    removeNamespaces(this.#namespaces);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #startAgents(): Agents {
    const { client, server } = this.#namespaces;
    return {
      server: new AgentProcess(server),
      client: new AgentProcess(client),
      control: new AgentProcess(client),
    };
  }

  #stopAgents(): void {
    for (const agent of Object.values(this.#agents ?? {})) agent.stop();
    this.#agents = undefined;
  }

  async #observe(one: Case, source: Source, agents: Agents): Promise<Omit<Observed, 'ms'>> {
    const refusals = await this.#startPilot(one, source, agents.control);
    try {
      const findings = refusals.map(({ text }) => text);
      if (one.rejected !== undefined)
        return { differences: compareRejection(one.rejected, refusals), outcomes: [], findings, log: '' };
      const served = await this.#serve(one, source, agents);
      // An error about what two resources say of each other is a finding, and the resources are in force all
      // the same.
      const refused = refusals
        .filter(({ isInForce }) => !isInForce)
        .map(({ text }) => `refused, the reference accepts it: ${text}`);
      return { ...served, differences: [...refused, ...served.differences], findings };
    } finally {
      await agents.control.call('stopPilot');
    }
  }

  async #startPilot(one: Case, source: Source, control: AgentProcess): Promise<readonly Refusal[]> {
    const mesh = Object.keys(one.mesh).length === 0 ? '' : stringify(one.mesh);
    switch (source.kind) {
      case 'pilot':
        return control.call('startPilot', { file: `${one.name}.yaml`, config: one.config, mesh });
      case 'command': {
        const [config, meshFile] = [join(this.#folder, 'config.yaml'), join(this.#folder, 'mesh.yaml')];
        writeFileSync(config, one.config);
        writeFileSync(meshFile, mesh);
        const files = ['--config', config, '--mesh-config', meshFile];
        const args = [commandLine, 'pilot', ...files, '--xds', `127.0.0.1:${xdsPort}`, '--output', 'json'];
        return control.call('startPilotCommand', args, resourcesOf(one).length);
      }
      case 'recorded':
        await control.call('startRecorded', source.json);
        return [];
    }
  }

  async #serve(one: Case, source: Source, agents: Agents): Promise<Omit<Observed, 'ms' | 'findings'>> {
    const { certificates, engine, isVerbose, isDumped } = this.#options;
    const isInbound = one.client.direction === 'inbound';
    const [echo, client] = isInbound ? [agents.client, agents.server] : [agents.server, agents.client];
    const { namespace = 'default', serviceAccount = 'default' } = one.client;
    const own = await certificates.of(`spiffe://cluster.local/ns/${namespace}/sa/${serviceAccount}`);
    const server = await certificates.of(one.serverIdentity);
    await agents.control.call('serveSecrets', { root: certificates.root, ...own });
    const away = {
      tls: { ...server, ca: certificates.root },
      dns: { address: serverAddress, names: one.dns },
    };
    const listening = echo.call('startEcho', {
      ports: portsOf(one),
      behaviours: one.upstreams,
      ...(isInbound ? {} : away),
    });
    await agents.control.call(
      'startProxy',
      engine({ bootstrap: bootstrapOf(one.client), isVerbose, isCommand: source.kind === 'command' }),
    );
    try {
      const [{ isReady, log }] = await Promise.all([
        agents.control.call('awaitProxy', readyTimeoutMs),
        listening,
      ]);
      if (!isReady)
        return {
          differences: [`the proxy did not become ready: ${log.slice(-logInDifference)}`],
          outcomes: [],
          log,
        };
      if (one.settleMs) await pause(one.settleMs);
      const outcomes = await new Exchange(one, { echo, client, meshCertificate: server }).run();
      const differences = outcomes.flatMap((outcome, index) => differencesOf(one.requests[index], outcome));
      const nacks = one.nacks === undefined ? await refusedByProxy(agents.control) : [];
      const dump = isDumped ? { dump: await agents.control.call('admin', '/config_dump?include_eds') } : {};
      const end = await agents.control.call('stopProxy');
      const why =
        nacks.length > 0 ? [`refused by the proxy: ${nacks.join(', ')}; it said: ${lastWarnings(end)}`] : [];
      return { differences: [...differences, ...why], outcomes, log: end, ...dump };
    } finally {
      await agents.control.call('stopProxy');
      await listening.then(() => echo.call('stopEcho'));
    }
  }
}

function compareRejection(reference: string, refusals: readonly Refusal[]): readonly string[] {
  if (refusals.length === 0) return [`accepted, the reference refuses it: ${reference}`];
  return refusals
    .filter(({ isInForce }) => isInForce)
    .map(({ text }) => `reported and yet in force: ${text}`);
}

function differencesOf(request: Request | undefined, outcome: Outcome): readonly string[] {
  return request ? compare(request, outcome).map((difference) => `${request.name}: ${difference}`) : [];
}

async function refusedByProxy(control: AgentProcess): Promise<readonly string[]> {
  const stats = await control.call('admin', '/stats?filter=update_rejected');
  return stats.split('\n').filter((line) => / [1-9]\d*$/.test(line.trim()));
}

function lastWarnings(log: string): string {
  const lines = log.split('\n').filter((line) => /rejected|warn|error/i.test(line));
  return lines.join(' ').slice(-logInDifference);
}
