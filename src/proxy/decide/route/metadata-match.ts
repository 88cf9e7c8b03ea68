// Matches dynamic metadata of a request.
// https://www.envoyproxy.io/docs/envoy/latest/api-v3/type/matcher/v3/metadata.proto
import type { MetadataMatcher as MetadataMatcherConfig } from '@meltemi/envoy-api/envoy/type/matcher/v3/metadata';
import type { ValueMatcher } from '@meltemi/envoy-api/envoy/type/matcher/v3/value';
import { compileStringMatcher } from './string-match.ts';

type Metadata = Readonly<Record<string, unknown>> | undefined;
export type MetadataMatcher = (metadata: Metadata) => boolean;
type ValueTest = (value: unknown) => boolean;

export function compileMetadataMatcher(config: MetadataMatcherConfig, problems: string[]): MetadataMatcher {
  const keys = [config.filter, ...config.path.map((segment) => segment.segment.value ?? '')];
  const test = compileValue(config.value, problems);
  return (metadata) => test(keys.reduce<unknown>(child, metadata)) !== config.invert;
}

/** The value under a key, when there is one. */
export function child(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? Reflect.get(value, key)
    : undefined;
}

function compileValue(config: ValueMatcher | undefined, problems: string[]): ValueTest {
  const pattern = config?.matchPattern;
  switch (pattern?.case) {
    case 'nullMatch':
      return (value) => value === null;
    case 'boolMatch':
      return (value) => value === pattern.value;
    case 'presentMatch':
      return (value) => (value !== undefined) === pattern.value;
    case 'stringMatch': {
      const text = compileStringMatcher(pattern.value, problems);
      return (value) => typeof value === 'string' && text.test(value);
    }
    case 'orMatch': {
      const tests = pattern.value.valueMatchers.map((matcher) => compileValue(matcher, problems));
      return (value) => tests.some((test) => test(value));
    }
    case 'listMatch': {
      const test = compileValue(
        pattern.value.matchPattern.case === 'oneOf' ? pattern.value.matchPattern.value : undefined,
        problems,
      );
      return (value) => Array.isArray(value) && value.some(test);
    }
    case 'doubleMatch': {
      const double = pattern.value.matchPattern;
      if (double.case === 'range')
        return (value) =>
          typeof value === 'number' && value >= double.value.start && value < double.value.end;
      return (value) => value === double.value;
    }
    default:
      problems.push('metadata matcher without a value pattern');
      return () => false;
  }
}
