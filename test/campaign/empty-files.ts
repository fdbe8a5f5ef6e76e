import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { layTreeGround } from '../ssh/transfer/tree/ground.ts';

// What so many empty files cost in memory, up, again and down, half of them in one folder: node scripts/run.mjs THIS [--files N]
const { values } = parseArgs({ options: { files: { type: 'string', default: '200000' } } });
const count = Number(values.files);
/** How much more than before the first copy there may ever be: what is kept does not grow with the tree, the rest is not yet collected. */
const ROOM_MB = 250;

/** The test's own keeps what it was asked. */
const leave = { refusal: () => undefined, barred: () => undefined, charge: async () => undefined };

const resident = (): number => process.resourceUsage().maxRSS / 1_024;
const say = (line: string): void => void process.stdout.write(`${line}\n`);

await using ground = await layTreeGround();
const root = await ground.folder();
for (let index = 0; index < count; index += 1) {
  const folder = join(root, index % 2 === 0 ? 'one' : `d${Math.floor(index / 1_000)}`);
  if (index % 1_000 < 2) await mkdir(folder, { recursive: true });
  await (await open(join(folder, `f${index}`), 'wx')).close();
}
const small = await ground.folder('small');
await ground.upload(small, ground.nothing(), { leave });
const before = resident();
const [there, back] = [ground.nothing(), ground.nothing()];
const wrong: string[] = [];
for (const [name, copy] of [
  ['up', () => ground.upload(root, there, { leave })],
  ['up again', () => ground.upload(root, there, { leave })],
  ['down', () => ground.download(there, back, { leave })],
] as const) {
  const started = performance.now();
  const { files, unchanged, leftOutCount } = await copy();
  const perSecond = Math.round((count / (performance.now() - started)) * 1_000);
  say(`${name}: ${files} copied, ${unchanged} unchanged, ${perSecond} a second, ${Math.round(resident())} MB at most`);
  if (files + unchanged !== count || leftOutCount > 0) wrong.push(`${name}: ${leftOutCount} left out`);
}
const more = resident() - before;
say(`${Math.round(before)} MB before, ${Math.round(more)} MB more at most`);
if (more > ROOM_MB) wrong.push(`more than ${ROOM_MB} MB`);
if (wrong.length > 0) throw new Error(wrong.join('; '));
