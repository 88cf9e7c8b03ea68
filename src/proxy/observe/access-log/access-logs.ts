// Access logs in use: a record of an exchange that is over becomes a line in each log that wants it.
import { compileFormat, type Formatter } from '../../format/format.ts';
import { compileJsonFormat } from '../../format/json-format.ts';
import type { AccessLogPlan, LinePlan } from '../../plan/access-log/access-log-plan.ts';
import { LogFile } from './log-file.ts';
import { type LogRecord, logFilter } from './log-filter.ts';

export type Logger = (record: LogRecord) => void;

export class AccessLogs {
  readonly #files = new Map<string, LogFile>();
  readonly #random: () => number;

  constructor(random: () => number) {
    this.#random = random;
  }

  /** Undefined without logs, so that nothing is done for them. A file that cannot be opened is a problem. */
  open(plans: readonly AccessLogPlan[], problems: string[]): Logger | undefined {
    if (plans.length === 0) return undefined;
    const sinks = plans.map(({ line, filter, path }) => ({
      line: lineOf(line),
      filter: filter && logFilter(filter),
      file: this.#file(path, problems),
    }));
    return (record) => {
      for (const { line, filter, file } of sinks)
        if (!filter || filter(record, this.#random)) file?.write(line(record));
    };
  }

  /** Writes what waits, at once. */
  flush(): void {
    for (const file of this.#files.values()) file.flush();
  }

  /** Files that were moved away are made anew. */
  reopen(): void {
    for (const file of this.#files.values()) file.reopen();
  }

  close(): void {
    for (const file of this.#files.values()) file.close();
    this.#files.clear();
  }

  /** Logs of one path share a file. */
  #file(path: string, problems: string[]): LogFile | undefined {
    const known = this.#files.get(path);
    if (known) return known;
    try {
      const file = new LogFile(path);
      this.#files.set(path, file);
      return file;
    } catch (error) {
      problems.push(`unable to open file '${path}': ${error instanceof Error ? error.message : error}`);
      return undefined;
    }
  }
}

/** One line, with its end. */
function lineOf(plan: LinePlan): Formatter {
  if (plan.kind === 'json') return compileJsonFormat(plan.format, plan.omitEmpty);
  return compileFormat(plan.format, plan.omitEmpty ? '' : '-');
}
