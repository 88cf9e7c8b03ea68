// Matches dynamic metadata of a request.
import { unreachable } from '../../../base/index.ts';
import { child } from '../../format/metadata-value.ts';
import type { MetadataMatchPlan, ValueMatchPlan } from '../../plan/route/metadata-match.ts';
import { TextMatcher } from './string-match.ts';

type Metadata = Readonly<Record<string, unknown>> | undefined;
export type MetadataMatcher = (metadata: Metadata) => boolean;
type ValueTest = (value: unknown) => boolean;

export function metadataMatcher({ keys, value, invert }: MetadataMatchPlan): MetadataMatcher {
  const test = valueTest(value);
  return (metadata) => test(keys.reduce<unknown>(child, metadata)) !== invert;
}

function valueTest(plan: ValueMatchPlan): ValueTest {
  switch (plan.kind) {
    case 'never':
      return () => false;
    case 'null':
      return (value) => value === null;
    case 'equal':
      return (value) => value === plan.value;
    case 'present':
      return (value) => (value !== undefined) === plan.present;
    case 'string': {
      const text = new TextMatcher(plan.string);
      return (value) => typeof value === 'string' && text.test(value);
    }
    case 'or': {
      const tests = plan.values.map(valueTest);
      return (value) => tests.some((test) => test(value));
    }
    case 'oneOf': {
      const test = valueTest(plan.item);
      return (value) => Array.isArray(value) && value.some(test);
    }
    case 'range':
      return (value) => typeof value === 'number' && value >= plan.start && value < plan.end;
    default:
      return unreachable(plan);
  }
}
