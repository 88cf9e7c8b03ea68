// What `up` prints: lines for people, or one JSON object a line with the same facts.
import type { Issue } from '../../base/index.ts';
import { formatIssue } from '../../config/index.ts';
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
    const counts = [count(facts.services, 'service'), count(facts.workloads, 'workload'), count(facts.gateways, 'gateway')].join(', ');
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

  findings(issues: readonly Issue[], action: string | undefined): void {
    if (this.#options.output === 'json') {
      for (const issue of issues) this.#print({ event: 'finding', ...issue }, []);
      return;
    }
    const lines = issues.map((issue) => `${this.#time()}  ${formatIssue(issue)}`);
    this.#print({}, action ? [...lines, `          ${action}`] : lines);
  }

  changes(changes: readonly ChangeFacts[], delivery: Delivery): void {
    const { sentTo, accepted, ms, refusals, waiting } = delivery;
    const reach = sentTo === 0 ? 'no proxy needs it' : `${accepted} of ${sentTo} proxies, ${Math.max(1, Math.round(ms))} ms`;
    const fileWidth = Math.max(...changes.map(({ file }) => file.length));
    const textWidth = Math.max(...changes.map(({ text }) => text.length));
    const lines = changes.map(({ file, text }, i) =>
      `${this.#time()}  ${file.padEnd(fileWidth)}  ${text.padEnd(textWidth)}    ${i === changes.length - 1 ? reach : ''}`.trimEnd(),
    );
    const troubles = [
      ...refusals.map(({ proxy, message }) => `refused by ${proxy}, which keeps the version before: ${message}`),
      ...(waiting.length > 0 ? [`no answer yet from ${waiting.join(', ')}`] : []),
    ];
    this.#print({ event: 'changed', changes, ...delivery }, [...lines, ...troubles.map((line) => `          ${line}`)]);
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
    return [now.getHours(), now.getMinutes(), now.getSeconds()].map((part) => String(part).padStart(2, '0')).join(':');
  }
}

const labelWidth = 12;

function labelled(label: string, lines: readonly string[]): readonly string[] {
  return lines.map((line, i) => `${(i === 0 ? label : '').padEnd(labelWidth)}${line}`);
}

function count(number: number, word: string): string {
  return `${number} ${word}${number === 1 ? '' : 's'}`;
}
