// The compressor filter: responses on their way to clients that take the coding.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/compressor_filter
import { fromBinary } from '@bufbuild/protobuf';
import {
  CompressorPerRouteSchema,
  CompressorSchema,
} from '@meltemi/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor';
import { type FilterScope, httpFilter, type StreamContext, type StreamFilter } from '../http-filter.ts';
import { type CompressorPlan, readCompressor } from './coding-plan.ts';
import { ResponseCoder } from './response-coder.ts';
import { accepts, compresses } from './rules.ts';

export interface CompressorRoutePlan {
  readonly kind: 'compressor';
  readonly disabled: boolean;
}

export const compressor = httpFilter<CompressorPlan, CompressorRoutePlan>({
  kind: 'compressor',
  name: 'envoy.filters.http.compressor',
  messages: [CompressorSchema],
  plan: readCompressor,
  routeMessages: [CompressorPerRouteSchema],
  planRoute: (message, problems) => {
    const { override } = fromBinary(CompressorPerRouteSchema, message);
    if (override.case !== 'disabled') problems.push('compressor: overrides of a route are not supported');
    return { kind: 'compressor', disabled: override.case === 'disabled' && override.value };
  },
  open: (plan, scope) => ({
    onlyByRoute: false,
    stream: (context, route) => (route?.disabled ? undefined : compressorStream(plan, scope, context)),
  }),
});

function compressorStream(plan: CompressorPlan, scope: FilterScope, context: StreamContext): StreamFilter {
  let wanted = false;
  let coder: ResponseCoder | undefined;
  return {
    requestHead: ({ request }) => {
      wanted = accepts(request.headers.get('accept-encoding'), plan.coding) && request.method !== 'HEAD';
      if (plan.removeAcceptEncoding) request.headers.remove('accept-encoding');
      return 'continue';
    },
    response: (onward) => {
      coder = new ResponseCoder(onward, {
        open: (output) => scope.codings(plan.coding, 'compress', output),
        wants: (headers, empty) => compresses(plan, headers, wanted && !empty),
        writable: () => context.responseWritable(),
      });
      return coder;
    },
    writable: () => coder?.drained(),
    end: () => coder?.abandon(),
  };
}
