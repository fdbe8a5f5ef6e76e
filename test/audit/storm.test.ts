import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readKey } from '../../src/audit/key.ts';
import { sealTornTails } from '../../src/audit/recover.ts';
import { verify } from '../../src/audit/verify.ts';
import { openSqlite } from '../../src/state/sqlite.ts';
import { bundle } from '../state/bundle.ts';
import { realClock } from '../support/clock.ts';
import { tempFolder } from '../support/temp.ts';

const PROCESSES = 4;
const KILLS = 30;

test('four processes that are killed at random leave no effect without its record, and a record without a fault', async () => {
  await using place = await tempFolder();
  const program = await bundle('test/audit/storm.worker.ts', place.path);
  const [state, effects] = [join(place.path, 'state'), join(place.path, 'effects')];
  const start = (): ChildProcess =>
    spawn(process.execPath, [program, state, effects], { stdio: ['ignore', 'ignore', 'inherit'] });
  const kill = async (child: ChildProcess | undefined): Promise<void> => {
    if (child === undefined) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const children = Array.from({ length: PROCESSES }, start);
  const effectCount = (): number => (existsSync(effects) ? readFileSync(effects, 'utf8').split('\n').length : 0);
  for (let kills = 0; kills < KILLS || effectCount() < 200; kills++) {
    await pause(50 + Math.random() * 200);
    const victim = Math.floor(Math.random() * PROCESSES);
    await kill(children[victim]);
    children[victim] = start();
  }
  await Promise.all(children.map(kill));

  const store = await openSqlite({ file: join(state, 'state.db'), clock: realClock, log: () => undefined });
  const [folder, key] = [join(state, 'audit'), readKey(join(state, 'audit.key'), undefined)];
  const sealed = await sealTornTails({ folder, key, store, clock: realClock, random: randomBytes });
  const { files, records, problems, notes } = await verify(folder, key, await store.heads());
  store.close();
  const text = readdirSync(folder)
    .map(name => readFileSync(join(folder, name), 'utf8'))
    .join('\n');
  const recorded = new Set([...text.matchAll(/"event":"admitted","call_id":"([^"]+)"/g)].map(match => match[1]));
  const done = readFileSync(effects, 'utf8')
    .split('\n')
    .filter(id => id.startsWith('call-'));
  console.log(
    `storm: ${files} files, ${records} records, ${done.length} effects, ${sealed.length} torn tails sealed at the end`,
  );
  expect(problems).toEqual([]);
  expect(notes.filter(({ what }) => what.includes('not sealed'))).toEqual([]);
  expect(done.length).toBeGreaterThanOrEqual(199);
  expect(done.filter(id => !recorded.has(id))).toEqual([]);
}, 90_000);
