// Error matchers as they come over the wire.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { create, fromBinary, type MessageInitShape, toBinary } from '@bufbuild/protobuf';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { MatchPredicateSchema } from '@meltemi/envoy-api/envoy/config/common/matcher/v3/matcher';
import { HttpProtocolOptionsSchema } from '@meltemi/envoy-api/envoy/extensions/upstreams/http/v3/http_protocol_options';
import { Headers } from '../codec/http/headers.ts';
import { planErrorMatch } from '../plan/cluster/error-match-plan.ts';
import { type ErrorMatcher, errorMatcher } from './error-match.ts';

type Init = MessageInitShape<typeof MatchPredicateSchema>;

const header = (name: string, exact: string): Init => ({
  rule: {
    case: 'httpResponseHeadersMatch',
    value: {
      headers: [
        {
          name,
          headerMatchSpecifier: {
            case: 'stringMatch',
            value: { matchPattern: { case: 'exact', value: exact } },
          },
        },
      ],
    },
  },
});

function matcherOf(predicate: Init, problems: string[] = []): ErrorMatcher | undefined {
  const bytes = toBinary(MatchPredicateSchema, create(MatchPredicateSchema, predicate));
  const outlierDetection = new BinaryWriter().tag(1, WireType.LengthDelimited).bytes(bytes).finish();
  const options = new BinaryWriter().tag(8, WireType.LengthDelimited).bytes(outlierDetection).finish();
  const plan = planErrorMatch(fromBinary(HttpProtocolOptionsSchema, options).$unknown, problems);
  return plan && errorMatcher(plan);
}

const cases: readonly {
  readonly name: string;
  readonly predicate: Init;
  readonly errors: readonly number[];
}[] = [
  { name: 'one status', predicate: header(':status', '429'), errors: [429] },
  {
    name: 'one of two',
    predicate: {
      rule: { case: 'orMatch', value: { rules: [header(':status', '429'), header(':status', '418')] } },
    },
    errors: [418, 429],
  },
  {
    name: 'both a status and a header',
    predicate: {
      rule: { case: 'andMatch', value: { rules: [header(':status', '500'), header('x-shed', 'yes')] } },
    },
    errors: [500],
  },
  {
    name: 'a header that is not there',
    predicate: {
      rule: { case: 'andMatch', value: { rules: [header(':status', '500'), header('x-other', 'yes')] } },
    },
    errors: [],
  },
  {
    name: 'all but one',
    predicate: { rule: { case: 'notMatch', value: header(':status', '200') } },
    errors: [418, 429, 500],
  },
  { name: 'all', predicate: { rule: { case: 'anyMatch', value: true } }, errors: [200, 418, 429, 500] },
];
for (const { name, predicate, errors } of cases)
  test(`responses that count as errors: ${name}`, () => {
    const matcher = matcherOf(predicate);
    const headers = new Headers(['x-shed', 'yes']);
    assert.deepEqual(
      [200, 418, 429, 500].filter((status) => matcher?.(status, headers)),
      errors,
    );
  });

test('without a matcher there is none, and one that is not known is a problem', () => {
  assert.equal(planErrorMatch(undefined, []), undefined);
  assert.equal(
    planErrorMatch(fromBinary(HttpProtocolOptionsSchema, new Uint8Array()).$unknown, []),
    undefined,
  );
  const problems: string[] = [];
  matcherOf({ rule: { case: 'httpRequestHeadersMatch', value: { headers: [] } } }, problems);
  assert.equal(problems.length, 1);
});
