// An access log: where its lines go, what stands in them, and which exchanges they are about.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/observability/access_log/usage
import { fromBinary, type JsonObject } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import type { AccessLog } from '@meltemi/envoy-api/envoy/config/accesslog/v3/accesslog';
import type { SubstitutionFormatString } from '@meltemi/envoy-api/envoy/config/core/v3/substitution_format_string';
import {
  type FileAccessLog,
  FileAccessLogSchema,
} from '@meltemi/envoy-api/envoy/extensions/access_loggers/file/v3/file';
import {
  StderrAccessLogSchema,
  StdoutAccessLogSchema,
} from '@meltemi/envoy-api/envoy/extensions/access_loggers/stream/v3/stream';
import { type FormatPlan, planFormat } from '../../format/format-plan.ts';
import { type JsonFieldPlan, planJsonFormat } from '../../format/json-format-plan.ts';
import { type LogFilterPlan, planLogFilter } from './log-filter.ts';

/** What stands in a line. `omitEmpty`: a value that there is none of leaves no trace. */
export type LinePlan =
  | { readonly kind: 'text'; readonly format: FormatPlan; readonly omitEmpty: boolean }
  | { readonly kind: 'json'; readonly format: JsonFieldPlan; readonly omitEmpty: boolean };

export interface AccessLogPlan {
  readonly name: string;
  readonly path: string;
  readonly line: LinePlan;
  /** Undefined takes every exchange. */
  readonly filter: LogFilterPlan | undefined;
}

export function planAccessLogs(logs: readonly AccessLog[], problems: string[]): readonly AccessLogPlan[] {
  return logs.flatMap((log) => planAccessLog(log, problems) ?? []);
}

function planAccessLog(log: AccessLog, problems: string[]): AccessLogPlan | undefined {
  const any = log.configType.value;
  const sink = any && sinkOf(any, problems);
  if (!sink) {
    problems.push(`access log ${log.name} is not supported`);
    return undefined;
  }
  const filter = log.filter && planLogFilter(log.filter, problems);
  return { name: log.name, ...sink, filter };
}

function sinkOf(any: Any, problems: string[]): Pick<AccessLogPlan, 'path' | 'line'> | undefined {
  switch (any.typeUrl.slice(any.typeUrl.lastIndexOf('/') + 1)) {
    case FileAccessLogSchema.typeName: {
      const file = fromBinary(FileAccessLogSchema, any.value);
      if (file.path === '') problems.push('access log without a path');
      return { path: file.path, line: fileLine(file.accessLogFormat, problems) };
    }
    case StdoutAccessLogSchema.typeName: {
      const { accessLogFormat: format } = fromBinary(StdoutAccessLogSchema, any.value);
      return { path: '/dev/stdout', line: planLine(format.value, problems) };
    }
    case StderrAccessLogSchema.typeName: {
      const { accessLogFormat: format } = fromBinary(StderrAccessLogSchema, any.value);
      return { path: '/dev/stderr', line: planLine(format.value, problems) };
    }
    default:
      return undefined;
  }
}

/** Envoy's own, with the whole request line and the way that it went. */
const usualFormat =
  '[%START_TIME%] "%REQ(:METHOD)% %REQ(X-ENVOY-ORIGINAL-PATH?:PATH)% %PROTOCOL%" ' +
  '%RESPONSE_CODE% %RESPONSE_FLAGS% %BYTES_RECEIVED% %BYTES_SENT% %DURATION% ' +
  '%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)% "%REQ(X-FORWARDED-FOR)%" "%REQ(USER-AGENT)%" ' +
  '"%REQ(X-REQUEST-ID)%" "%REQ(:AUTHORITY)%" "%UPSTREAM_HOST%"\n';

function fileLine(format: FileAccessLog['accessLogFormat'], problems: string[]): LinePlan {
  switch (format.case) {
    case 'format':
      return textLine(format.value, false, problems);
    case 'jsonFormat':
    case 'typedJsonFormat':
      return jsonLine(format.value, false, problems);
    default:
      return planLine(format.value, problems);
  }
}

function planLine(source: SubstitutionFormatString | undefined, problems: string[]): LinePlan {
  const omitEmpty = source?.omitEmptyValues ?? false;
  for (const { name } of source?.formatters ?? [])
    if (!builtIn.has(name)) problems.push(`access log formatter ${name} is not supported`);
  const format = source?.format;
  switch (format?.case) {
    case 'jsonFormat':
      return jsonLine(format.value, omitEmpty, problems);
    case 'textFormat':
      return textLine(format.value, omitEmpty, problems);
    case 'textFormatSource': {
      const { specifier } = format.value;
      if (specifier.case === 'inlineString') return textLine(specifier.value, omitEmpty, problems);
      if (specifier.case === 'inlineBytes')
        return textLine(new TextDecoder().decode(specifier.value), omitEmpty, problems);
      problems.push('access log format must be inline');
      return { kind: 'text', format: [], omitEmpty };
    }
    default:
      return textLine('', omitEmpty, problems);
  }
}

function textLine(text: string, omitEmpty: boolean, problems: string[]): LinePlan {
  return { kind: 'text', format: planFormat(text === '' ? usualFormat : text, problems), omitEmpty };
}

function jsonLine(source: JsonObject, omitEmpty: boolean, problems: string[]): LinePlan {
  return { kind: 'json', format: planJsonFormat(source, problems), omitEmpty };
}

/** What these add is in the table of operators. */
const builtIn: ReadonlySet<string> = new Set([
  'envoy.formatter.req_without_query',
  'envoy.formatter.metadata',
]);
