// Goes on with a transfer behind four gibibytes, both ways: node scripts/run.mjs test/campaign/beyond-4-gib.ts --at 4294967301
import { randomBytes } from 'node:crypto';
import { open, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { keyOf, partName } from '../../src/ssh/transfer/part.ts';
import { type Ground, layGround, namesIn } from '../ssh/transfer/ground.ts';

const { values } = parseArgs({ options: { at: { type: 'string', default: String(2 ** 32 + 5) } } });
const AT = Number(values.at);
const SIZE = AT + 300_000;

/** A sparse file with bytes of its own around the place where the transfer goes on. */
const make = async (path: string, size: number, tail: Buffer): Promise<void> => {
  await writeFile(path, '');
  await truncate(path, size);
  const file = await open(path, 'r+');
  await file.write(tail.subarray(0, size - (AT - 100)), 0, undefined, AT - 100);
  await file.close();
};

const goOn = async (ground: Ground, way: 'up' | 'down'): Promise<readonly string[]> => {
  const [from, to] = way === 'up' ? [ground.here, ground.there] : [ground.there, ground.here];
  const tail = randomBytes(300_100);
  await make(join(from, way), SIZE, tail);
  const { mtimeMs } = await stat(join(from, way));
  const modifiedMs = way === 'up' ? Math.trunc(mtimeMs) : Math.trunc(mtimeMs / 1_000) * 1_000;
  const key = keyOf({ grant: 'local', to: join(to, way), size: SIZE, modifiedMs });
  await make(join(to, partName(way, randomBytes, key)), AT, tail);
  const done = await (way === 'up' ? ground.up : ground.down)(way, way, { resume: true });
  const file = await open(join(to, way));
  const { buffer } = await file.read(Buffer.alloc(300_100), 0, 300_100, AT - 100);
  await file.close();
  return [
    ...(done.bytes === SIZE - AT ? [] : [`${way}: ${done.bytes} bytes moved, and ${SIZE - AT} were left`]),
    ...(buffer.equals(tail) ? [] : [`${way}: other bytes`]),
    ...((await namesIn(to)).filter(name => name.includes('.part')).length === 0 ? [] : [`${way}: a part is left`]),
  ];
};

const ground = await layGround();
try {
  const problems = [...(await goOn(ground, 'up')), ...(await goOn(ground, 'down'))];
  process.stdout.write(`${problems.join('\n')}${problems.length} problems\n`);
  process.exitCode = problems.length === 0 ? 0 : 1;
} finally {
  await ground[Symbol.asyncDispose]();
}
