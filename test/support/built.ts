import { execFileSync } from 'node:child_process';
import { existsSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, sources } from '../shape/source.ts';

/** Before any suite: the product is bundled as it ships, unless it is newer than everything it is made of. */
export default function setup(): void {
  const bundle = join(ROOT, 'dist', 'sallyport.js');
  const made = existsSync(bundle) ? statSync(bundle).mtimeMs : 0;
  const parts = [...sources('src').map(source => source.path), 'package-lock.json', 'scripts/build.mjs'];
  if (parts.every(path => statSync(join(ROOT, path)).mtimeMs < made)) return;
  execFileSync(process.execPath, [join(ROOT, 'scripts', 'build.mjs')], { stdio: 'inherit' });
}
