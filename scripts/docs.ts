import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pages } from './pages.ts';

const root = process.env.SALLYPORT_ROOT ?? process.cwd();
for (const [path, text] of Object.entries(pages())) writeFileSync(join(root, path), text);
