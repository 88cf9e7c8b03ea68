// From an accepted socket to the filter chain that takes it: original destination, inspection, choice, TLS,
// then HTTP or TCP.
import type net from 'node:net';
import type { TLSSocket } from 'node:tls';
import { formatAddress, type HostPort, plainIp } from '../../codec/address.ts';
import { readClientHello } from '../../codec/client-hello.ts';
import { guessHttp } from '../../codec/http-inspector.ts';
import { type ProxyHeader, readProxyHeader } from '../../codec/proxy-protocol.ts';
import type { ConnectionInfo, ConnectionTls } from '../../decide/connection-info.ts';
import { type ConnectionFacts, chooseChain } from '../../decide/filter-chain.ts';
import { mostHops, type OwnConnections } from '../../net/own-connections.ts';
import { ConnectionRecord } from '../../observe/connection-record.ts';
import { inspects } from '../../plan/listener/listener-filters-plan.ts';
import type { ListenerPlan } from '../../plan/listener/listener-plan.ts';
import type { HandshakeFailure } from '../../tls/handshake-report.ts';
import type { HttpEnvironment } from '../environment.ts';
import type { Chain, Listener } from './listener.ts';
import { type OpenContext, type Opening, openHttp, openTcp, type Session } from './open-chain.ts';
import type { OriginalDestinations } from './original-destination.ts';
import { type Peek, type PeekOptions, peek } from './peek.ts';

export interface AcceptContext {
  readonly env: HttpEnvironment;
  readonly destinations: OriginalDestinations;
  readonly own: OwnConnections;
  /** The listener for an address that a connection was redirected from. */
  listenerFor(destination: HostPort): Listener | undefined;
  /** Told of what lives on the connection, to drain it; called back when it is over. */
  opened(listener: Listener, session: Session): void;
  over(listener: Listener, session: Session): void;
  noChain(listener: Listener): void;
  looped(listener: Listener): void;
  nextId(): number;
}

interface Sniffed {
  readonly serverName: string | undefined;
  readonly transport: 'tls' | 'raw_buffer';
  readonly protocols: readonly string[];
}

const unknown: Sniffed = { serverName: undefined, transport: 'raw_buffer', protocols: [] };

/** The socket comes paused. */
export function acceptConnection(socket: net.Socket, bound: Listener, context: AcceptContext): void {
  socket.setNoDelay(true);
  const hops = context.own.hopsOf(socket);
  if (hops > mostHops) {
    context.looped(bound);
    socket.resetAndDestroy();
    return;
  }
  const destination = arrival(socket, bound, context);
  const listener = (bound.plan.handsOff && context.listenerFor(destination)) || bound;
  const accepted = new Accepted({ socket, listener, destination, hops }, context);
  accepted.start();
}

/**
 * Where the client wanted to go: an address that the kernel redirected from, or the one at which the
 * connection was accepted.
 */
interface Arrival extends HostPort {
  readonly redirected: boolean;
}

function arrival(socket: net.Socket, bound: Listener, context: AcceptContext): Arrival {
  const original = bound.plan.restoresDestination ? context.destinations.of(socket) : undefined;
  if (original) return { ...original, redirected: true };
  return { ip: plainIp(socket.localAddress), port: socket.localPort ?? 0, redirected: false };
}

interface Incoming {
  readonly socket: net.Socket;
  readonly listener: Listener;
  readonly destination: Arrival;
  readonly hops: number;
}

class Accepted implements Session {
  readonly #socket: net.Socket;
  readonly #listener: Listener;
  #destination: Arrival;
  #source: HostPort;
  readonly #hops: number;
  readonly #context: AcceptContext;
  #seen: Buffer | undefined;
  #peek: Peek | undefined;
  #draining = false;

  constructor(incoming: Incoming, context: AcceptContext) {
    this.#socket = incoming.socket;
    this.#listener = incoming.listener;
    this.#destination = incoming.destination;
    this.#hops = incoming.hops;
    this.#source = { ip: plainIp(incoming.socket.remoteAddress), port: incoming.socket.remotePort ?? 0 };
    this.#context = context;
  }

  start(): void {
    this.#context.opened(this.#listener, this);
    this.#socket.on('error', ignore);
    if (this.#listener.plan.proxyHeader === 'none') this.#inspect();
    else this.#readProxyHeader();
  }

  /** The client, and where it went, are who the header says. */
  #readProxyHeader(): void {
    const destroy = (): void => this.destroy();
    this.#look(
      (bytes) => {
        const header = readProxyHeader(bytes);
        if (header.kind === 'incomplete') return false;
        if (header.kind === 'header') this.#behind(header, bytes);
        else if (header.kind === 'malformed' || this.#listener.plan.proxyHeader === 'required') {
          destroy();
          return true;
        }
        this.#inspect();
        return true;
      },
      { timeoutMs: this.#listener.plan.inspectTimeout, timedOut: destroy, gone: () => this.#gone() },
    );
  }

  #behind({ client, length }: ProxyHeader & { kind: 'header' }, bytes: Buffer): void {
    this.#seen = bytes.length > length ? bytes.subarray(length) : undefined;
    if (!client) return;
    this.#source = { ip: client.remoteIp, port: client.remotePort };
    const { ip, port } = this.#destination;
    const elsewhere = client.localIp !== ip || client.localPort !== port;
    this.#destination = {
      ip: client.localIp,
      port: client.localPort,
      redirected: this.#destination.redirected || elsewhere,
    };
  }

  #inspect(): void {
    const { plan } = this.#listener;
    const port = this.#destination.port;
    if (!inspects(plan.inspectors.tls, port) && !inspects(plan.inspectors.http, port)) {
      this.#choose(unknown);
      return;
    }
    this.#look(
      (bytes) => {
        const sniffed = inspect(bytes, plan, port);
        if (sniffed) this.#choose(sniffed);
        return sniffed !== undefined;
      },
      {
        timeoutMs: plan.inspectTimeout,
        timedOut: () => (plan.continueOnTimeout ? this.#choose(unknown) : this.destroy()),
        gone: () => this.#gone(),
      },
    );
  }

  drain(): void {
    this.#draining = true;
  }

  destroy(): void {
    this.#peek?.cancel();
    this.#gone();
  }

  get #peer(): string {
    return formatAddress(plainIp(this.#socket.remoteAddress), this.#socket.remotePort ?? 0);
  }

  #gone(): void {
    this.#context.over(this.#listener, this);
    this.#socket.destroy();
  }

  #look(decide: (bytes: Buffer) => boolean, options: PeekOptions): void {
    const remember = (bytes: Buffer): boolean => {
      this.#seen = bytes;
      return decide(bytes);
    };
    this.#peek = peek(this.#socket, this.#seen, remember, options);
  }

  #choose(sniffed: Sniffed): void {
    const facts: ConnectionFacts = {
      destinationIp: this.#destination.ip,
      destinationPort: this.#destination.port,
      sourceIp: this.#source.ip,
      sourcePort: this.#source.port,
      serverName: sniffed.serverName,
      transportProtocol: sniffed.transport,
      applicationProtocols: sniffed.protocols,
    };
    const chain = chooseChain(this.#listener.chains, facts) ?? this.#listener.defaultChain;
    if (!chain) {
      this.#context.noChain(this.#listener);
      this.#logUntaken(facts);
      this.#gone();
    } else if (chain.tls) this.#awaitHello(chain, facts);
    else this.#open(chain, facts, undefined, sniffed.protocols.includes('h2c') ? 'h2' : undefined, undefined);
  }

  #logUntaken(facts: ConnectionFacts): void {
    const record = new ConnectionRecord(this.#infoOf(facts, undefined), this.#context.env.clock.now);
    record.ended('NR', 'filter_chain_not_found');
    this.#listener.connectionLog?.(record);
  }

  /** Which protocols the client offers must be known before the handshake begins. */
  #awaitHello(chain: Chain, facts: ConnectionFacts): void {
    this.#look(
      (bytes) => {
        const hello = readClientHello(bytes);
        if (hello.kind !== 'incomplete') this.#secure(chain, facts, hello.kind === 'hello' ? hello.alpn : []);
        return hello.kind !== 'incomplete';
      },
      {
        timeoutMs: chain.plan.tlsTimeout,
        timedOut: () => this.#insecure(helloTimeout),
        gone: () => this.#gone(),
      },
    );
  }

  #secure(chain: Chain, facts: ConnectionFacts, offered: readonly string[]): void {
    const socket = this.#socket;
    socket.pause();
    if (this.#seen) socket.unshift(this.#seen);
    this.#seen = undefined;
    chain.tls?.handshake(socket, offered, chain.plan.tlsTimeout, {
      secured: (secure, alpn, tls) => {
        this.#listener.handshakes.succeeded(tls.peer !== undefined);
        this.#open(chain, facts, secure, alpn, tls);
      },
      failed: (failure) => this.#insecure(failure),
    });
  }

  #insecure(failure: HandshakeFailure): void {
    this.#listener.handshakes.failed(failure, this.#peer);
    this.#gone();
  }

  #infoOf(facts: ConnectionFacts, tls: ConnectionTls | undefined): ConnectionInfo {
    return {
      id: this.#context.nextId(),
      remoteIp: facts.sourceIp,
      remotePort: facts.sourcePort,
      localIp: facts.destinationIp,
      localPort: facts.destinationPort,
      redirected: this.#destination.redirected,
      hops: this.#hops,
      tls,
      serverName: tls?.sni ?? facts.serverName,
    };
  }

  #open(
    chain: Chain,
    facts: ConnectionFacts,
    secure: TLSSocket | undefined,
    protocol: string | undefined,
    tls: ConnectionTls | undefined,
  ): void {
    this.#context.over(this.#listener, this);
    const info = this.#infoOf(facts, tls);
    const { env } = this.#context;
    const context: OpenContext = {
      env,
      opened: (session) => this.#context.opened(this.#listener, session),
      over: (session) => this.#context.over(this.#listener, session),
    };
    const opening: Opening = {
      socket: this.#socket,
      secure,
      seen: this.#seen,
      info,
      protocol,
      draining: this.#draining,
      guards: chain.action.kind === 'none' ? [] : chain.action.guards,
    };
    switch (chain.action.kind) {
      case 'http':
        openHttp(chain.action.http, opening, context);
        return;
      case 'tcp':
        openTcp(chain.action.tcp, opening, context);
        return;
      default:
        this.#socket.destroy();
    }
  }
}

const helloTimeout: HandshakeFailure = { kind: 'timeout', detail: 'the client sent no whole hello in time' };

function inspect(bytes: Buffer, { inspectors }: ListenerPlan, port: number): Sniffed | undefined {
  if (inspects(inspectors.tls, port)) {
    const hello = readClientHello(bytes);
    if (hello.kind === 'incomplete') return undefined;
    if (hello.kind === 'hello')
      return { serverName: hello.serverName, transport: 'tls', protocols: hello.alpn };
  }
  if (!inspects(inspectors.http, port)) return unknown;
  const guess = guessHttp(bytes);
  if (guess === 'incomplete') return undefined;
  return guess === 'other' ? unknown : { serverName: undefined, transport: 'raw_buffer', protocols: [guess] };
}

function ignore(): void {}
