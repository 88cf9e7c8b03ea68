// What `up` prints: lines for people, or one JSON object a line with the same facts.
import type { Issue } from '../../base/index.ts';
import { formatIssue } from '../../config/index.ts';
import type { ResourceId } from '../../sources/index.ts';
import type { Delivery } from './control.ts';
import type { RequestToTry } from './requests-to-try.ts';

export interface ReadyFacts {
  readonly version: string;
  readonly folder: string;
  readonly services: number;
  readonly workloads: number;
  readonly pods: readonly { readonly name: string; readonly pid: number | undefined }[];
  readonly gateways: number;
  readonly ms: number;
  readonly xds: string;
  readonly urls: readonly string[];
  readonly requests: readonly RequestToTry[];
}

export interface ChangeFacts {
  readonly file: string;
  readonly text: string;
  /** Of what came or changed, for the control plane. */
  readonly id?: ResourceId;
}

/** Workloads that a change started and stopped, by name. */
export interface ProcessFacts {
  readonly started: readonly string[];
  readonly stopped: readonly string[];
}

export interface ConsoleOptions {
  readonly output: 'text' | 'json';
  readonly write: (text: string) => void;
  readonly now: () => Date;
}

export class Console {
  readonly #options: ConsoleOptions;

  constructor(options: ConsoleOptions) {
    this.#options = options;
  }

  ready(facts: ReadyFacts): void {
    const { folder, requests, urls } = facts;
    const counts = [
      count(facts.services, 'service'),
      count(facts.workloads, 'workload'),
      count(facts.gateways, 'gateway'),
    ].join(', ');
    const width = Math.max(0, ...requests.map(({ command }) => command.length));
    const lines = [
      '',
      `meltemi ${facts.version}   ${folder}   ${counts}   ready in ${Math.round(facts.ms)} ms`,
      '',
      ...labelled('gateway', urls),
      ...labelled('xds', [facts.xds]),
      ...labelled(
        'try',
        requests.map(({ command, outcome }) => `${command.padEnd(width)}   ${outcome}`),
      ),
      ...labelled('watching', [`${folder} (edit a file; Ctrl-C ends)`]),
      '',
    ];
    this.#print({ event: 'ready', ...facts }, lines);
  }

  /** Something that the user should know, and what to do about it. */
  notice(message: string, details: readonly string[] = [], facts: object = {}): void {
    this.#print({ event: 'notice', message, details, ...facts }, [
      `${this.#time()}  ${message}`,
      ...details.map((line) => `          ${line}`),
    ]);
  }

  /** `standing`: what is in force of the resources that have errors. */
  findings(issues: readonly Issue[], standing: readonly string[]): void {
    if (this.#options.output === 'json') {
      for (const issue of issues) this.#print({ event: 'finding', ...issue }, []);
      if (standing.length > 0) this.#print({ event: 'standing', standing }, []);
      return;
    }
    const lines = issues.map((issue) => `${this.#time()}  ${formatIssue(issue)}`);
    this.#print({}, [...lines, ...standing.map((line) => `          ${line}`)]);
  }

  changes(changes: readonly ChangeFacts[], delivery: Delivery, processes: ProcessFacts): void {
    const { refusals, waiting } = delivery;
    const reach = [...effectOf(processes), ...reachOf(delivery, processes)].join('; ');
    const fileWidth = Math.max(...changes.map(({ file }) => file.length));
    const textWidth = Math.max(...changes.map(({ text }) => text.length));
    const lines = changes.map(({ file, text }, i) =>
      `${this.#time()}  ${file.padEnd(fileWidth)}  ${text.padEnd(textWidth)}    ${i === changes.length - 1 ? reach : ''}`.trimEnd(),
    );
    const troubles = [
      ...refusals.map(
        ({ proxy, message }) => `refused by ${proxy}, which keeps the version before: ${message}`,
      ),
      ...(waiting.length > 0 ? [`no answer yet from ${waiting.join(', ')}`] : []),
    ];
    const facts = changes.map(({ file, text }) => ({ file, text }));
    this.#print({ event: 'changed', changes: facts, ...delivery, ...processes }, [
      ...lines,
      ...troubles.map((line) => `          ${line}`),
    ]);
  }

  /** A workload that came later is in service now. */
  serves(workload: string, delivery: Delivery): void {
    this.#print({ event: 'serves', workload, ...delivery }, [
      `${this.#time()}  ${workload} serves    ${reachText(delivery)}`,
    ]);
  }

  output(workload: string, line: string): void {
    this.#print({ event: 'output', workload, line }, [`${workload} | ${line}`]);
  }

  #print(facts: object, lines: readonly string[]): void {
    const { output, write } = this.#options;
    if (output === 'json') write(`${JSON.stringify(facts)}\n`);
    else write(lines.map((line) => (line === '' ? '\n' : `  ${line}\n`)).join(''));
  }

  #time(): string {
    const now = this.#options.now();
    return [now.getHours(), now.getMinutes(), now.getSeconds()]
      .map((part) => String(part).padStart(2, '0'))
      .join(':');
  }
}

function effectOf({ started, stopped }: ProcessFacts): readonly string[] {
  const parts = [
    [stopped, 'stopped'],
    [started, 'starting'],
  ] as const;
  return parts.filter(([names]) => names.length > 0).map(([names, what]) => `${what} ${names.join(', ')}`);
}

/** Workloads take their endpoints along when they stop, and bring them when they serve. */
function reachOf(delivery: Delivery, { started, stopped }: ProcessFacts): readonly string[] {
  if (delivery.sentTo > 0) return [reachText(delivery)];
  return started.length + stopped.length > 0 ? [] : ['no proxy needs it'];
}

function reachText({ accepted, sentTo, ms }: Delivery): string {
  return `${accepted} of ${sentTo} proxies, ${Math.max(1, Math.round(ms))} ms`;
}

const labelWidth = 12;

function labelled(label: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, i) => `${(i === 0 ? label : '').padEnd(labelWidth)}${line}`);
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
