// The compressor and decompressor filters, compiled.
// https://www.envoyproxy.io/docs/envoy/latest/configuration/http/http_filters/compressor_filter
import { fromBinary } from '@bufbuild/protobuf';
import type { TypedExtensionConfig } from '@meltemi/envoy-api/envoy/config/core/v3/extension';
import {
  type Compressor_CommonDirectionConfig as CommonConfig,
  type Compressor,
  CompressorSchema,
} from '@meltemi/envoy-api/envoy/extensions/filters/http/compressor/v3/compressor';
import { DecompressorSchema } from '@meltemi/envoy-api/envoy/extensions/filters/http/decompressor/v3/decompressor';

export type Coding = 'gzip' | 'br' | 'zstd';

export interface CompressorPlan {
  readonly kind: 'compressor';
  readonly coding: Coding;
  readonly response: DirectionPlan | undefined;
  readonly removeAcceptEncoding: boolean;
  readonly exceptWithEtag: boolean;
}

export interface DirectionPlan {
  readonly minLength: number;
  readonly contentTypes: ReadonlySet<string>;
}

export interface DecompressorPlan {
  readonly kind: 'decompressor';
  readonly coding: Coding;
  readonly requests: boolean;
  readonly responses: boolean;
  /** Tell the upstream that the coding is welcome. */
  readonly advertise: boolean;
}

export type CodingPlan = CompressorPlan | DecompressorPlan;

const usualTypes = [
  'application/javascript',
  'application/json',
  'application/xhtml+xml',
  'image/svg+xml',
  'text/css',
  'text/html',
  'text/plain',
  'text/xml',
];

export function readCompressor(bytes: Uint8Array, problems: string[]): CompressorPlan {
  const source = fromBinary(CompressorSchema, bytes);
  if (isOn(source.requestDirectionConfig?.commonConfig, false))
    problems.push('compressor: request_direction_config is not supported');
  const response = source.responseDirectionConfig;
  return {
    kind: 'compressor',
    coding: codingOf(source.compressorLibrary, problems),
    response: responseOf(source),
    removeAcceptEncoding: response?.removeAcceptEncodingHeader ?? source.removeAcceptEncodingHeader,
    exceptWithEtag: response?.disableOnEtagHeader ?? source.disableOnEtagHeader,
  };
}

export function readDecompressor(bytes: Uint8Array, problems: string[]): DecompressorPlan {
  const source = fromBinary(DecompressorSchema, bytes);
  const request = source.requestDirectionConfig;
  return {
    kind: 'decompressor',
    coding: codingOf(source.decompressorLibrary, problems),
    requests: request?.commonConfig?.enabled?.defaultValue ?? true,
    responses: source.responseDirectionConfig?.commonConfig?.enabled?.defaultValue ?? true,
    advertise: request?.advertiseAcceptEncoding ?? true,
  };
}

function responseOf(source: Compressor): DirectionPlan | undefined {
  const common = source.responseDirectionConfig?.commonConfig;
  if (!isOn(common, source.runtimeEnabled?.defaultValue ?? true)) return undefined;
  const types = common?.contentType.length ? common.contentType : source.contentType;
  return {
    minLength: common?.minContentLength ?? source.contentLength ?? 30,
    contentTypes: new Set((types.length > 0 ? types : usualTypes).map((type) => type.toLowerCase())),
  };
}

function isOn(common: CommonConfig | undefined, otherwise: boolean): boolean {
  return common ? (common.enabled?.defaultValue ?? true) : otherwise;
}

function codingOf(library: TypedExtensionConfig | undefined, problems: string[]): Coding {
  const type = library?.typedConfig?.typeUrl ?? '';
  if (type.includes('.gzip.')) return 'gzip';
  if (type.includes('.brotli.')) return 'br';
  if (type.includes('.zstd.')) return 'zstd';
  problems.push(`compression library ${library?.name ?? ''} is not supported`);
  return 'gzip';
}
