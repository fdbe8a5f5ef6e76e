// Builds the product, then runs one TypeScript script against it: node scripts/run.mjs FILE [ARGUMENT …]
import { mkdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { build, bundleScript } from './build.mjs';
import { sshd } from './openssh.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const [file, ...rest] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write('usage: node scripts/run.mjs FILE [ARGUMENT …]\n');
  process.exit(2);
}
// Inside the project, so that the script finds the installed packages.
const out = join(root, 'node_modules', '.cache', 'sallyport', `${process.pid}`);
mkdirSync(out, { recursive: true });
await build();
const script = await bundleScript(resolve(file), out);
process.argv = [process.argv[0], script, ...rest];
process.env.SALLYPORT_ROOT = root;
const server = sshd();
if (server !== undefined) process.env.SALLYPORT_SSHD = server;
await import(pathToFileURL(script).href);
