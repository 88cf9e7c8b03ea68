// Passes queries on to other name servers as they are, and their answers back.
import { randomInt } from 'node:crypto';
import dgram from 'node:dgram';
import dns from 'node:dns';
import net from 'node:net';
import { type HostPort, splitAddress } from '../../codec/address.ts';
import type { ForwardPlan } from '../../plan/dns/dns-plan.ts';

interface Pending {
  readonly query: Buffer;
  readonly done: (answer: Buffer | undefined) => void;
  readonly question: Buffer;
  triesLeft: number;
  server: number;
  timer: NodeJS.Timeout | undefined;
}

export interface RelayQuery {
  readonly bytes: Buffer;
  /** Repeated by an answer that is one to this query. */
  readonly question: Buffer;
}

export class Relay {
  readonly #plan: ForwardPlan;
  readonly #servers: readonly HostPort[];
  readonly #pending = new Map<number, Pending>();
  readonly #sockets = new Map<'udp4' | 'udp6', dgram.Socket>();

  constructor(plan: ForwardPlan) {
    this.#plan = plan;
    this.#servers = plan.resolvers.length > 0 ? plan.resolvers : dns.getServers().flatMap(systemServer);
  }

  /** Undefined when nobody answers in time, or too many wait already. */
  ask({ bytes, question }: RelayQuery, done: (answer: Buffer | undefined) => void): void {
    if (this.#servers.length === 0 || this.#pending.size >= this.#plan.maxPending) {
      done(undefined);
      return;
    }
    let id = randomInt(0x10000);
    while (this.#pending.has(id)) id = randomInt(0x10000);
    const query = Buffer.from(bytes);
    const asked = query.readUInt16BE(0);
    query.writeUInt16BE(id, 0);
    const pending: Pending = {
      query,
      question: Buffer.from(question),
      done: (answer) => {
        clearTimeout(pending.timer);
        this.#pending.delete(id);
        answer?.writeUInt16BE(asked, 0);
        done(answer);
      },
      triesLeft: this.#plan.tries,
      server: 0,
      timer: undefined,
    };
    this.#pending.set(id, pending);
    this.#try(pending);
  }

  /** Whether a query comes from here: then it has gone in a circle. */
  sentFrom(port: number): boolean {
    return [...this.#sockets.values()].some((socket) => socket.address().port === port);
  }

  close(): void {
    for (const pending of [...this.#pending.values()]) pending.done(undefined);
    for (const socket of this.#sockets.values()) socket.close();
    this.#sockets.clear();
  }

  #try(pending: Pending): void {
    if (pending.triesLeft-- <= 0) {
      pending.done(undefined);
      return;
    }
    const server = this.#servers[pending.server++ % this.#servers.length];
    if (!server) return;
    pending.timer = setTimeout(() => this.#try(pending), this.#plan.timeoutMs).unref();
    this.#socket(net.isIPv6(server.ip) ? 'udp6' : 'udp4').send(pending.query, server.port, server.ip);
  }

  #socket(type: 'udp4' | 'udp6'): dgram.Socket {
    let socket = this.#sockets.get(type);
    if (!socket) {
      socket = dgram.createSocket(type);
      socket.on('message', (answer, from) => this.#answered(answer, from));
      // Nobody listens there: the next try, or the end of the time, tells.
      socket.on('error', () => undefined);
      socket.unref();
      this.#sockets.set(type, socket);
    }
    return socket;
  }

  #answered(answer: Buffer, from: dgram.RemoteInfo): void {
    const pending = answer.length < 12 ? undefined : this.#pending.get(answer.readUInt16BE(0));
    const known = this.#servers.some((server) => server.ip === from.address && server.port === from.port);
    // Anybody can send here: an answer comes from who was asked, and is to what was asked.
    if (!pending || !known || (answer.readUInt16BE(2) & 0x8000) === 0) return;
    if (answer.subarray(12, 12 + pending.question.length).compare(pending.question) !== 0) return;
    pending.done(Buffer.from(answer));
  }
}

function systemServer(text: string): HostPort[] {
  const at = splitAddress(text);
  if (at) return [at];
  return net.isIP(text) ? [{ ip: text, port: 53 }] : [];
}
