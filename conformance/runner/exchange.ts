// Sends the requests of a case from its client and gathers what its servers saw.
import { setTimeout as pause } from 'node:timers/promises';
import { targetOf, virtualAddresses } from './addresses.ts';
import type { Burst } from './agent/calls.ts';
import type { AgentProcess } from './agent-process.ts';
import type { Case, Outcome, Request } from './case.ts';
import type { Certificate } from './certificates.ts';
import { outcomeOf } from './outcome.ts';

const requestTimeoutMs = 30_000;
/** Copies and late retries arrive within this time. */
const settleMs = 60;

export interface Ends {
  readonly echo: AgentProcess;
  readonly client: AgentProcess;
  readonly meshCertificate: Certificate;
}

/** The requests of one case, in order. */
export class Exchange {
  readonly #case: Case;
  readonly #ends: Ends;
  readonly #addresses: ReadonlyMap<string, string>;

  constructor(one: Case, ends: Ends) {
    this.#case = one;
    this.#ends = ends;
    this.#addresses = virtualAddresses(one);
  }

  async run(): Promise<readonly Outcome[]> {
    const outcomes: Outcome[] = [];
    for (const request of this.#case.requests) outcomes.push(await this.#send(request));
    return outcomes;
  }

  async #send(request: Request): Promise<Outcome> {
    const { echo, client } = this.#ends;
    if (request.waitMs) await pause(request.waitMs);
    await echo.call('resetHits');
    const answers = await client.call('send', this.#burst(request));
    await pause(request.settleMs ?? settleMs);
    return outcomeOf(request, answers, await echo.call('takeHits'));
  }

  #burst(request: Request): Burst {
    const { host, port } = targetOf(request.connect);
    const ip = /^\d+(\.\d+){3}$/.test(host) ? host : this.#addresses.get(host);
    if (ip === undefined)
      throw new Error(`${this.#case.name}: there is no address for ${host}; give it one under dns`);
    const isShort = port === 80 || port === 443 || host === 'gateway';
    const { mesh, ...tls } = request.tls ?? {};
    return {
      count: request.count ?? 1,
      concurrency: request.concurrency ?? 1,
      gapMs: request.gapMs ?? 0,
      request: {
        ip,
        port,
        host: request.host ?? (isShort ? host : request.connect),
        method: request.method ?? 'GET',
        path: request.path ?? '/',
        headers: request.headers ?? {},
        timeoutMs: request.timeoutMs ?? requestTimeoutMs,
        ...(request.body === undefined ? {} : { body: request.body }),
        ...(request.version === undefined ? {} : { version: request.version }),
        ...(request.tcp === undefined ? {} : { tcp: request.tcp }),
        ...(request.tls === undefined ? {} : { tls: mesh ? { ...tls, ...this.#ends.meshCertificate } : tls }),
      },
    };
  }
}
