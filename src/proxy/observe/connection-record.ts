// The record of a connection whose bytes are passed on as they are, or that nobody took.

import type { RequestView } from '../codec/http/request-view.ts';
import type { ConnectionInfo } from '../decide/connection-info.ts';
import type { FormatContext } from '../format/format-context.ts';
import { ConnectionFacts } from './connection-facts.ts';

export class ConnectionRecord extends ConnectionFacts implements FormatContext {
  readonly request = noRequest;
  readonly startTime = Date.now();
  readonly #now: () => number;
  readonly #begun: number;
  #ended = 0;
  responseFlags = '-';
  responseCodeDetails: string | undefined;
  connectionTerminationDetails: string | undefined;
  upstreamTransportFailureReason: string | undefined;
  clusterName: string | undefined;
  upstreamHost: string | undefined;
  upstreamRemoteAddress: string | undefined;
  upstreamHostname: string | undefined;
  upstreamLocalAddress: string | undefined;
  attemptCount: number | undefined;
  bytesReceived = 0;
  bytesSent = 0;
  metadata: Readonly<Record<string, unknown>> = {};

  constructor(connection: ConnectionInfo, now: () => number) {
    super(connection);
    this.#now = now;
    this.#begun = now();
  }

  get duration(): number {
    return (this.#ended || this.#now()) - this.#begun;
  }

  flag(flag: string): void {
    if (flag === '') return;
    this.responseFlags = this.responseFlags === '-' ? flag : `${this.responseFlags},${flag}`;
  }

  ended(flag = '', details?: string): void {
    this.flag(flag);
    this.responseCodeDetails ??= details;
    this.#ended = this.#now();
  }
}

const noRequest: RequestView = {
  method: '',
  path: '',
  authority: '',
  scheme: '',
  get: () => undefined,
  getAll: () => [],
};
