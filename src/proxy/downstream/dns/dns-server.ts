// Answers queries for the names of a table, and has others answered elsewhere.
import dgram from 'node:dgram';
import net from 'node:net';
import type { HostPort } from '../../codec/address.ts';
import {
  encodeFailure,
  encodeReply,
  parseQuery,
  type Query,
  recordType,
  responseCode,
} from '../../codec/dns-message.ts';
import { entryOf } from '../../decide/dns-answer.ts';
import type { DnsPlan, NameEntry } from '../../plan/dns/dns-plan.ts';
import { Relay } from './relay.ts';

export interface DnsServerOptions {
  readonly address: HostPort;
  readonly plan: DnsPlan;
  readonly failed: (error: Error) => void;
}

const againMs = 1000;

export class DnsServer {
  readonly #options: DnsServerOptions;
  #plan: DnsPlan;
  #relay: Relay | undefined;
  #socket: dgram.Socket | undefined;
  #closed = false;

  constructor(options: DnsServerOptions) {
    this.#options = options;
    this.#plan = options.plan;
    this.#relay = options.plan.forward && new Relay(options.plan.forward);
    this.#open();
  }

  /** The port that it has, once there is one. */
  get port(): number | undefined {
    try {
      return this.#socket?.address().port;
    } catch {
      return undefined;
    }
  }

  update(plan: DnsPlan): void {
    this.#relay?.close();
    this.#relay = plan.forward && new Relay(plan.forward);
    this.#plan = plan;
  }

  close(): void {
    this.#closed = true;
    this.#relay?.close();
    this.#socket?.close();
  }

  #open(): void {
    const { ip, port } = this.#options.address;
    const socket = dgram.createSocket(net.isIPv6(ip) ? 'udp6' : 'udp4');
    let bound = false;
    socket.on('listening', () => {
      bound = true;
    });
    socket.on('error', (error) => {
      // After binding, errors are of single datagrams.
      if (bound) return;
      this.#options.failed(error);
      setTimeout(() => this.#closed || this.#open(), againMs).unref();
    });
    socket.on('message', (bytes, from) => this.#take(bytes, from));
    this.#socket = socket;
    socket.bind(port, ip);
  }

  #take(bytes: Buffer, from: dgram.RemoteInfo): void {
    const send = (answer: Buffer): void => this.#socket?.send(answer, from.port, from.address);
    const parsed = parseQuery(bytes);
    if (parsed.kind === 'none') return;
    if (parsed.kind === 'malformed') {
      send(encodeFailure(parsed.id, responseCode.malformed));
      return;
    }
    const { query } = parsed;
    const entry = query.class === 1 ? entryOf(this.#plan.names, query.name) : undefined;
    if (entry) send(known(query, entry));
    else if (!this.#relay)
      send(encodeReply(query, { code: responseCode.noSuchName, addresses: [], ttlSeconds: 0 }));
    else if (this.#relay.sentFrom(from.port)) send(failed(query));
    else this.#relay.ask({ bytes, question: query.question }, (answer) => send(answer ?? failed(query)));
  }
}

/**
 * A name that has no address of a kind is still a name: without one, resolvers would look no further for the
 * other kind.
 */
function known(query: Query, entry: NameEntry): Buffer {
  const addresses = addressesOf(entry, query.type);
  return encodeReply(query, { code: responseCode.ok, addresses, ttlSeconds: entry.ttlSeconds });
}

function addressesOf({ v4, v6 }: NameEntry, type: number): readonly string[] {
  if (type === recordType.a) return v4;
  return type === recordType.aaaa ? v6 : [];
}

function failed(query: Query): Buffer {
  return encodeReply(query, { code: responseCode.failed, addresses: [], ttlSeconds: 0 });
}
