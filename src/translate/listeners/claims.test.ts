import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Claim, Claims } from './claims.ts';

const claim = (sniHosts: readonly string[], subnets: readonly string[] = []): Claim => ({
  sniHosts,
  subnets,
});

const cases: readonly { name: string; asked: readonly Claim[]; got: readonly (readonly Claim[])[] }[] = [
  { name: 'the first keeps it', asked: [claim(['a']), claim(['a'])], got: [[claim(['a'])], []] },
  {
    name: 'what is left of a claim',
    asked: [claim(['a']), claim(['a', 'b'])],
    got: [[claim(['a'])], [claim(['b'])]],
  },
  {
    name: 'one range in two spellings',
    asked: [claim([], ['10.1.0.0/16']), claim([], ['10.1.2.3/16', '10.2.0.1', '10.2.0.1/32'])],
    got: [[claim([], ['10.1.0.0/16'])], [claim([], ['10.2.0.1/32'])]],
  },
  { name: 'names are without case', asked: [claim(['A.b']), claim(['a.B'])], got: [[claim(['a.b'])], []] },
  {
    name: 'names whose ranges are free to different parts',
    asked: [claim(['a'], ['10.0.0.0/8']), claim(['a', 'b'], ['10.0.0.0/8', '11.0.0.0/8'])],
    got: [
      [claim(['a'], ['10.0.0.0/8'])],
      [claim(['a'], ['11.0.0.0/8']), claim(['b'], ['10.0.0.0/8', '11.0.0.0/8'])],
    ],
  },
  {
    name: 'any name beside some',
    asked: [claim(['*']), claim(['a']), claim(['*', 'b'])],
    got: [[claim([])], [claim(['a'])], []],
  },
];

for (const { name, asked, got } of cases) {
  test(`claims: ${name}`, () => {
    const claims = new Claims();
    assert.deepEqual(
      asked.map((item) => claims.take(item)),
      got,
    );
  });
}

test('claims: all or nothing', () => {
  const claims = new Claims();
  assert.equal(claims.takeWhole(['a', 'b']), true);
  assert.equal(claims.takeWhole(['c', 'b']), false);
  assert.deepEqual(claims.take(claim(['c'])), [claim(['c'])]);
});
