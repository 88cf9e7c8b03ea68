// HTTPFaultInjection: delays and aborts.

import { grpcStatuses } from '../../../base/index.ts';
import { exclusive, needsOneOf } from '../../rules/fields.ts';
import {
  duration,
  field,
  type Infer,
  ignored,
  int32,
  message,
  type Path,
  type RuleContext,
  string,
} from '../../schema/index.ts';
import { Percent } from '../shared.ts';

export const FaultDelay = message(
  'HTTPFaultInjection.Delay',
  {
    percent: field(int32, 'HTTPFault.delay.percentage', {
      legacy: { code: 'MT0302', instead: 'write percentage: {value: N}' },
    }),
    percentage: Percent,
    fixedDelay: field(duration, 'HTTPFault.delay.fixed_delay'),
    exponentialDelay: ignored(duration, 'refused with a finding, as by Istio'),
  },
  {
    rules: [
      (delay, context) => {
        checkOldShare(delay.percent, context);
        checkShare(delay.percentage?.value, ['percentage', 'value'], context);
        if (delay.exponentialDelay !== undefined)
          context.report('MT0129', ['exponentialDelay'], '{} is not supported; use fixedDelay');
      },
    ],
  },
);
export type FaultDelay = Infer<typeof FaultDelay>;

export const FaultAbort = message(
  'HTTPFaultInjection.Abort',
  {
    percent: field(int32, 'HTTPFault.abort.percentage', {
      legacy: {
        code: 'MT0301',
        instead: 'honoured here, ignored by Istio today; write percentage: {value: N}',
      },
    }),
    percentage: Percent,
    httpStatus: field(int32, 'HTTPFault.abort.http_status'),
    grpcStatus: field(string, 'HTTPFault.abort.grpc_status'),
    http2Error: ignored(string, 'refused with a finding, as by Istio'),
  },
  {
    rules: [
      exclusive('httpStatus', 'grpcStatus', 'http2Error'),
      (abort, context) => {
        checkOldShare(abort.percent, context);
        checkShare(abort.percentage?.value, ['percentage', 'value'], context);
        checkStatus(abort, context);
      },
    ],
  },
);
export type FaultAbort = Infer<typeof FaultAbort>;

export const HTTPFaultInjection = message(
  'HTTPFaultInjection',
  { delay: FaultDelay, abort: FaultAbort },
  { rules: [needsOneOf('MT0121', 'delay', 'abort')] },
);
export type HTTPFaultInjection = Infer<typeof HTTPFaultInjection>;

interface AbortStatus {
  readonly httpStatus?: number;
  readonly grpcStatus?: string;
  readonly http2Error?: string;
}

function checkStatus({ httpStatus, grpcStatus, http2Error }: AbortStatus, context: RuleContext): void {
  if (http2Error !== undefined) {
    context.report('MT0129', ['http2Error'], '{} is not supported; use httpStatus or grpcStatus');
    return;
  }
  if (httpStatus === undefined && grpcStatus === undefined) {
    context.report('MT0154', [], '{} has no httpStatus or grpcStatus: nothing is aborted');
    return;
  }
  if (httpStatus !== undefined && (httpStatus < 200 || httpStatus > 599))
    context.report('MT0124', ['httpStatus'], `{} must be from 200 to 599, not ${httpStatus}`);
  if (grpcStatus !== undefined && !grpcStatuses.includes(grpcStatus)) {
    context.report(
      'MT0124',
      ['grpcStatus'],
      `"${grpcStatus}" is not the name of a gRPC status, such as UNAVAILABLE`,
    );
  }
}

/** More than all is all, as Istio takes it. */
function checkOldShare(percent: number | undefined, context: RuleContext): void {
  if (percent !== undefined && percent < 0)
    context.report('MT0115', ['percent'], `{} cannot be negative (${percent})`);
}

/** Envoy counts in millionths: a share below that would be none. */
function checkShare(percent: number | undefined, path: Path, context: RuleContext): void {
  if (percent === undefined || percent === 0 || (percent >= 0.0001 && percent <= 100)) return;
  context.report('MT0115', path, `{} must be 0 or from 0.0001 to 100, not ${percent}`);
}
