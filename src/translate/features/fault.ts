// Fault injection as per-route configuration of Envoy's fault filter.
// https://istio.io/latest/docs/reference/config/networking/virtual-service/#HTTPFaultInjection
import { create } from '@bufbuild/protobuf';
import type { Any } from '@bufbuild/protobuf/wkt';
import { FaultDelaySchema } from '@meltemi/envoy-api/envoy/extensions/filters/common/fault/v3/fault';
import {
  type FaultAbort,
  FaultAbortSchema,
  HTTPFaultSchema,
} from '@meltemi/envoy-api/envoy/extensions/filters/http/fault/v3/fault';
import { grpcStatuses } from '../../base/index.ts';
import type { HTTPFaultInjection } from '../../config/index.ts';
import { any, duration, fractionalPercent } from '../wire.ts';

export const faultFilter = 'envoy.filters.http.fault';

export function faultConfig(fault: HTTPFaultInjection | undefined): Any | undefined {
  if (!fault) return undefined;
  const { delay } = fault;
  return any(HTTPFaultSchema, {
    delay:
      delay?.fixedDelay === undefined
        ? undefined
        : create(FaultDelaySchema, {
            faultDelaySecifier: { case: 'fixedDelay', value: duration(delay.fixedDelay) },
            percentage: percentage(delay.percentage?.value, delay.percent),
          }),
    abort: abortConfig(fault.abort),
  });
}

function abortConfig(abort: HTTPFaultInjection['abort']): FaultAbort | undefined {
  const errorType = abortStatus(abort);
  return (
    errorType &&
    create(FaultAbortSchema, { errorType, percentage: percentage(abort?.percentage?.value, abort?.percent) })
  );
}

function abortStatus(abort: HTTPFaultInjection['abort']): FaultAbort['errorType'] | undefined {
  if (abort?.httpStatus !== undefined) return { case: 'httpStatus', value: abort.httpStatus };
  const code = abort?.grpcStatus === undefined ? -1 : grpcStatuses.indexOf(abort.grpcStatus);
  return code < 0 ? undefined : { case: 'grpcStatus', value: code };
}

/** Without a percentage a fault never fires; `percent` is the spelling of 2018. */
function percentage(
  value: number | undefined,
  legacy: number | undefined,
): ReturnType<typeof fractionalPercent> {
  return fractionalPercent(value ?? legacy ?? 0);
}
