// What the runner can ask of an agent, a process of its own inside one of the case's network namespaces.
import type { Behaviour, HeaderValues } from '../case.ts';
import type { Answer, Hit } from '../outcome.ts';

export interface EchoSpec {
  readonly ports: readonly number[];
  readonly behaviours: Readonly<Record<string, Behaviour>>;
  /** Absent: TLS connections are not terminated. */
  readonly tls?: { readonly cert: string; readonly key: string; readonly ca: string };
  /** Absent: there is no resolver. */
  readonly dns?: { readonly address: string; readonly names: Readonly<Record<string, readonly string[]>> };
}

export interface Burst {
  readonly count: number;
  readonly concurrency: number;
  readonly gapMs: number;
  readonly request: ClientRequest;
}

export interface ClientRequest {
  readonly ip: string;
  readonly port: number;
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers: HeaderValues;
  readonly body?: string;
  readonly version?: '2';
  readonly tcp?: string;
  readonly tls?: {
    readonly sni?: string;
    readonly alpn?: readonly string[];
    readonly key?: string;
    readonly cert?: string;
  };
  readonly timeoutMs: number;
}

export interface Secrets {
  readonly root: string;
  readonly cert: string;
  readonly key: string;
}

export interface PilotSpec {
  /** Stands for the file in findings. */
  readonly file: string;
  readonly config: string;
  /** MeshConfig as YAML. */
  readonly mesh: string;
}

/** A finding of severity error. */
export interface Refusal {
  readonly text: string;
  /** Whether the resource that it is about is in force all the same. */
  readonly isInForce: boolean;
}

/** Whose processes are not captured: the user of the proxy, or at least its group. */
interface ProxyOwner {
  readonly uid?: number;
  readonly gid: number;
}

export interface ProxyCommand extends ProxyOwner {
  readonly kind: 'command';
  readonly command: string;
  readonly args: readonly string[];
}

/** An embedded proxy in a process that runs many of them, one at a time. */
export interface HostedProxySpec extends ProxyOwner {
  readonly kind: 'hosted';
  readonly bootstrap: object;
  readonly drainMs: number;
  readonly isVerbose: boolean;
}

export type ProxySpec = ProxyCommand | HostedProxySpec;

export interface RunningProxy {
  ready(timeoutMs: number): Promise<ProxyState>;
  /** Ends it at once and returns what it logged. */
  stop(): Promise<string>;
}

export interface ProxyState {
  readonly isReady: boolean;
  readonly log: string;
}

/** The calls, by name; each is answered when it is done. */
export interface AgentCalls {
  startEcho(spec: EchoSpec): Promise<void>;
  resetHits(): Promise<void>;
  takeHits(): Promise<readonly Hit[]>;
  stopEcho(): Promise<void>;
  send(burst: Burst): Promise<readonly Answer[]>;
  serveSecrets(secrets: Secrets): Promise<void>;
  startPilot(spec: PilotSpec): Promise<readonly Refusal[]>;
  startRecorded(json: string): Promise<void>;
  /**
   * The pilot as a process, started as a user would. `documents` is how many resources the configuration
   * holds.
   */
  startPilotCommand(args: readonly string[], documents: number): Promise<readonly Refusal[]>;
  stopPilot(): Promise<void>;
  startProxy(spec: ProxySpec): Promise<void>;
  awaitProxy(timeoutMs: number): Promise<ProxyState>;
  stopProxy(): Promise<string>;
  admin(path: string): Promise<string>;
}

export interface CallMessage {
  readonly id: number;
  readonly name: keyof AgentCalls;
  readonly args: readonly unknown[];
}

export type ReplyMessage =
  | { readonly id: number; readonly value: unknown }
  | { readonly id: number; readonly error: string };
