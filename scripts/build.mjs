// Bundles src/ into dist/sallyport.js and the pieces it loads lazily.
import { chmodSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as bundle } from 'esbuild';

const root = dirname(dirname(fileURLToPath(import.meta.url)));

// ssh2 is CommonJS: inside an ES module it finds `require` and `__dirname` here.
const SHIM = [
  "import { createRequire as __createRequire } from 'node:module';",
  'const require = __createRequire(import.meta.url);',
  'const __dirname = import.meta.dirname;',
].join('');

/** The SDK's default validator is a third of what must be read before the first answer, and nothing uses it (decision 0007). */
const withoutValidator = {
  name: 'without-validator',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@modelcontextprotocol\/server\/_shims$/ }, () => ({
      path: join(root, 'scripts', 'sdk-shims.mjs'),
    })),
};

const COMMON = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20.19',
  format: 'esm',
  mainFields: ['module', 'main'],
  splitting: true,
  // Native parts are never bundled: ssh2 does without its own, libsql's is loaded when Node has no SQLite.
  external: ['*.node', 'cpu-features', 'libsql', 'node:sqlite'],
  banner: { js: SHIM },
  legalComments: 'none',
  logLevel: 'error',
};

/** Bundles the product into dist/; a process that is reading the last one there finds every file of it until the swap. */
export const build = async () => {
  const dist = join(root, 'dist');
  const fresh = join(root, `dist.${process.pid}`);
  rmSync(fresh, { recursive: true, force: true });
  await bundle({
    ...COMMON,
    entryPoints: { sallyport: 'src/main.ts' },
    plugins: [withoutValidator],
    outdir: fresh,
    chunkNames: 'lazy/[name]-[hash]',
    minifySyntax: true,
  });
  chmodSync(join(fresh, 'sallyport.js'), 0o755);
  swap(fresh, dist);
};

/** Names of chunks carry their content, so that new ones never overwrite old ones; the entry comes last. */
const swap = (fresh, dist) => {
  const lazy = join(dist, 'lazy');
  mkdirSync(lazy, { recursive: true });
  const names = readdirSync(join(fresh, 'lazy'));
  for (const name of names) renameSync(join(fresh, 'lazy', name), join(lazy, name));
  renameSync(join(fresh, 'sallyport.js'), join(dist, 'sallyport.js'));
  for (const name of readdirSync(lazy)) if (!names.includes(name)) rmSync(join(lazy, name));
  rmSync(fresh, { recursive: true, force: true });
};

/** Bundles one TypeScript script into `outdir`, and says where it is. */
export const bundleScript = async (file, outdir) => {
  await bundle({
    ...COMMON,
    entryPoints: { script: file },
    outdir,
    outExtension: { '.js': '.mjs' },
    packages: 'external',
    logOverride: { 'empty-import-meta': 'silent' },
  });
  return join(outdir, 'script.mjs');
};

if (process.argv[1] === fileURLToPath(import.meta.url)) await build();
