// Generates the Envoy v3 API (protobuf messages) into gen/ from the .proto tree that @grpc/grpc-js-xds ships, and
// the little of Istio's that is asked for by its agents from istio/.
// Runs at install; does nothing when gen/ was made from the same inputs.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, '..', '..');
const require = createRequire(join(root, 'package.json'));
const packageFolder = (name) => join(root, 'node_modules', name);
const versionOf = (name) =>
  JSON.parse(readFileSync(join(packageFolder(name), 'package.json'), 'utf8')).version;

const inputs = ['@grpc/grpc-js-xds', '@bufbuild/buf', '@bufbuild/protoc-gen-es']
  .map((n) => `${n}@${versionOf(n)}`)
  .join(' ');
const istio = join(here, 'istio');
const ours = readdirSync(istio, { recursive: true })
  .filter((name) => name.endsWith('.proto'))
  .sort();
const stamp = createHash('sha256')
  .update(inputs)
  .update(ours.map((name) => readFileSync(join(istio, name), 'utf8')).join())
  .update(readFileSync(fileURLToPath(import.meta.url)))
  .digest('hex');
const stampFile = join(here, 'gen', '.stamp');

if (existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp) process.exit(0);
generate();

function generate() {
  const staging = join(here, '.staging');
  const modules = ['envoy-api', 'googleapis', 'protoc-gen-validate', 'xds'];
  rmSync(staging, { recursive: true, force: true });
  rmSync(join(here, 'gen'), { recursive: true, force: true });
  for (const name of modules)
    cpSync(join(packageFolder('@grpc/grpc-js-xds'), 'deps', name), join(staging, name), { recursive: true });
  cpSync(istio, join(staging, 'istio'), { recursive: true });
  rmSync(join(staging, 'protoc-gen-validate', 'tests'), { recursive: true, force: true });
  rmSync(join(staging, 'protoc-gen-validate', 'java'), { recursive: true, force: true });
  dropWithMissingImports(staging, modules);
  dropIgnoreEmpty(join(staging, 'envoy-api'));

  writeFileSync(
    join(staging, 'buf.yaml'),
    ['version: v2', 'modules:', ...[...modules, 'istio'].map((m) => `  - path: ${m}`), ''].join('\n'),
  );
  const template = {
    version: 'v2',
    plugins: [
      {
        local: 'protoc-gen-es',
        strategy: 'all',
        out: join(here, 'gen'),
        opt: ['target=js+dts', 'import_extension=js'],
      },
    ],
  };
  const env = {
    ...process.env,
    PATH: join(root, 'node_modules', '.bin') + delimiter + process.env.PATH,
    BUF_CACHE_DIR: join(staging, 'cache'),
  };
  mkdirSync(join(here, 'gen'));
  execFileSync(
    process.execPath,
    [require.resolve('@bufbuild/buf/bin/buf'), 'generate', '--template', JSON.stringify(template)],
    {
      cwd: staging,
      env,
      stdio: 'inherit',
    },
  );
  rmSync(staging, { recursive: true, force: true });
  writeFileSync(stampFile, stamp);
}

// The tree's own validate.proto has no `ignore_empty` for strings, yet a few files set it; the annotation has no effect on the wire.
function dropIgnoreEmpty(folder) {
  for (const entry of readdirSync(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.name.endsWith('.proto')) continue;
    const file = join(entry.parentPath, entry.name);
    const text = readFileSync(file, 'utf8');
    if (text.includes('ignore_empty')) writeFileSync(file, text.replace(/,?\s+ignore_empty: true/g, ''));
  }
}

// The tree holds leftovers of the v2 API and of tracers whose imports are not all there; nothing that we use imports them.
function dropWithMissingImports(staging, modules) {
  const protos = new Map();
  for (const module of modules)
    for (const name of readdirSync(join(staging, module), { recursive: true }))
      if (name.endsWith('.proto')) protos.set(name.split('\\').join('/'), join(staging, module, name));
  const missing = (file) =>
    [...readFileSync(file, 'utf8').matchAll(/^import (?:public )?"(.+)";/gm)].some(
      ([, path]) => !protos.has(path) && !isWellKnown(path),
    );
  for (let dropped = true; dropped; ) {
    dropped = false;
    for (const [name, file] of protos) {
      if (!missing(file)) continue;
      rmSync(file);
      protos.delete(name);
      dropped = true;
    }
  }
}

function isWellKnown(path) {
  return path.startsWith('google/protobuf/');
}
