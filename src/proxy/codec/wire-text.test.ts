import assert from 'node:assert/strict';
import { test } from 'node:test';
import { asciiLower, configuredText, peerText, wireText } from './wire-text.ts';

const bytes = (text: string): string => Buffer.from(text).toString('latin1');

test('text becomes its UTF-8 bytes, one a character', () => {
  for (const text of ['', 'abc', 'é€', 'č\u010a', '漢字', '😀'])
    assert.equal(wireText(text), bytes(text), text);
  assert.doesNotMatch(wireText('\u010d\u010a'), /[\r\n]/);
});

test('what would end a line is a problem where it is configured', () => {
  const problems: string[] = [];
  for (const text of ['a\rb', 'a\nb', 'a\0b', 'fine', 'č\u010a'])
    configuredText(text, 'prefix_rewrite', problems);
  assert.deepEqual(
    problems,
    ['a\rb', 'a\nb', 'a\0b'].map(
      (text) => `prefix_rewrite ${JSON.stringify(text)} holds a line break or NUL`,
    ),
  );
});

test('a name from a certificate loses it', () =>
  assert.equal(peerText('spiffe://a\r\nX: é\0'), `spiffe://aX: ${bytes('é')}`));

test('only the letters of ASCII have a case', () => {
  assert.equal(asciiLower('ABC-é'), 'abc-é');
  assert.equal(asciiLower(bytes('AÉ')), `a${bytes('É')}`);
});
