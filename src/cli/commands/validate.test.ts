import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { validateCommand } from './validate.ts';

const good = 'apiVersion: v1\nkind: Service\nmetadata: {name: shop}\nspec: {ports: [{port: 80}]}\n';
const warned =
  'apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: {name: shop}\nspec:\n  host: shop\n  subset: []\n';
const bad =
  'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: {name: shop}\nspec:\n  hosts: [shop]\n  http:\n  - match: [{uri: {prefix: /}}]\n';

async function run(args: readonly string[], input = ''): Promise<{ text: string; code: number | undefined }> {
  let text = '';
  let code: number | undefined;
  const command = validateCommand({
    write: (part) => (text += part),
    readInput: () => input,
    setExitCode: (value) => (code = value),
  });
  await command.parseAsync([...args], { from: 'user' });
  return { text, code };
}

async function inDirectory(
  files: Readonly<Record<string, string>>,
  body: (directory: string) => Promise<void>,
): Promise<void> {
  const directory = mkdtempSync(join(tmpdir(), 'meltemi-validate-'));
  try {
    mkdirSync(join(directory, 'sub'));
    for (const [name, text] of Object.entries(files)) writeFileSync(join(directory, name), text);
    await body(directory);
  } finally {
    rmSync(directory, { recursive: true });
  }
}

test('standard input: clean, warned and wrong', async () => {
  assert.deepEqual(await run(['-'], good), { text: 'no findings in 1 resource\n', code: 0 });
  const warning = await run(['-'], warned);
  assert.equal(
    warning.text,
    'stdin:6:3  warning  MT0102  unknown field "subset" in DestinationRule; did you mean "subsets"?\n1 warning in 1 resource\n',
  );
  assert.equal(warning.code, 0);
  const error = await run(['-'], bad);
  assert.equal(
    error.text,
    'stdin:7:5  error    MT0107  http[0] has a match and nothing to do: give it route, redirect, directResponse or delegate\n1 error in 1 resource\n',
  );
  assert.equal(error.code, 1);
});

test('resources of other programs are counted, not listed', async () => {
  const deployment = 'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: shop}\n';
  assert.deepEqual(await run(['-'], `${good}---\n${deployment}`), {
    text: 'no findings in 1 resource; 1 of other kinds passed over\n',
    code: 0,
  });
});

test('a directory is read with what is below it, and a resource in two files is found', async () => {
  await inDirectory(
    { 'a.yaml': good, 'sub/b.yml': good, 'c.txt': bad, '.hidden.yaml': bad },
    async (directory) => {
      const { text, code } = await run([directory]);
      assert.match(
        text,
        /sub\/b\.yml:3:1\d\s+error\s+MT0007 {2}Service default\/shop is given twice; the first, .*a\.yaml:1, is used/,
      );
      assert.match(text, /1 error in 1 resource\n$/);
      assert.equal(code, 1);
    },
  );
});

test('JSON output carries the place and the field', async () => {
  const { text } = await run(['-', '--output', 'json'], bad);
  const { issues, resources } = JSON.parse(text);
  assert.equal(resources, 1);
  assert.deepEqual(issues[0].origin, {
    kind: 'VirtualService',
    namespace: 'default',
    name: 'shop',
    path: 'spec.http[0]',
    file: 'stdin',
    line: 7,
    column: 5,
  });
});

test('what cannot be read ends with 2, the rest is checked', async () => {
  const { text, code } = await run(['-', 'no/such/file.yaml'], good);
  assert.match(
    text,
    /no\/such\/file\.yaml\s+error\s+MT0010 {2}cannot be read: there is no such file or folder/,
  );
  assert.equal(code, 2);
});

test('a MeshConfig is checked on demand', async () => {
  await inDirectory({ 'mesh.conf': 'outboundTrafficPolicy: {mode: REGISTRY}\n' }, async (directory) => {
    const { text, code } = await run(['-', '--mesh-config', join(directory, 'mesh.conf')], good);
    assert.match(
      text,
      /mesh\.conf:1:25\s+error\s+MT0104 {2}outboundTrafficPolicy\.mode: unknown value "REGISTRY"/,
    );
    assert.equal(code, 1);
  });
});

test('the help shows examples and exit codes', () => {
  let help = '';
  const command = validateCommand().configureOutput({ writeOut: (part) => (help += part) });
  command.outputHelp();
  assert.match(help, /Examples:[\s\S]*meltemi validate shop\.yaml[\s\S]*Exit codes:/);
});
