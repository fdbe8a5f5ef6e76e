import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { readKey } from '../../src/audit/key.ts';
import { openAudit } from '../../src/audit/log.ts';
import { scan } from '../../src/audit/scan.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { manualClock } from '../support/clock.ts';
import { tempFolder } from '../support/temp.ts';
import { type Event, MemoryDisk, patched } from './disk.ts';
import { admitted, ended, refused } from './records.ts';

const SECTOR = 512;

const apply = (file: Buffer, event: Event): Buffer => {
  if (event.kind === 'write') return patched(file, event.bytes, event.at);
  return event.kind === 'truncate' ? file.subarray(0, event.length) : file;
};

/** One write as a power cut may leave it: every whole number of sectors of it, or its first sector still zeros. */
const tears = (file: Buffer, event: Event): readonly Buffer[] => {
  if (event.kind !== 'write') return [];
  const { bytes, at } = event;
  const cuts: Buffer[] = [];
  for (let end = (Math.floor(at / SECTOR) + 1) * SECTOR; end < at + bytes.length; end += SECTOR)
    cuts.push(patched(file, bytes.subarray(0, end - at), at));
  const unwritten = Buffer.from(bytes).fill(0, 0, Math.min(bytes.length, SECTOR - (at % SECTOR)));
  return [...cuts, patched(file, unwritten, at)];
};

/** What the file may hold after a crash following these events: all that was synced, and any part of what came later. */
const crashes = (events: readonly Event[]): readonly Buffer[] => {
  const synced = events.findLastIndex(({ kind }) => kind === 'sync') + 1;
  const safe = events.slice(0, synced).reduce<Buffer>(apply, Buffer.alloc(0));
  let file = safe;
  const states = [safe];
  for (const event of events.slice(synced)) {
    states.push(...tears(file, event));
    file = apply(file, event);
    states.push(file);
  }
  return states;
};

/** Everything that an audit may go through, with what it promised and when. */
const story = async (audit: Awaited<ReturnType<typeof openAudit>>, disk: MemoryDisk): Promise<void> => {
  const admit = (id: string): Promise<void> =>
    audit.admit(admitted(id, 'x'.repeat(Number(id.length) * 90))).then(
      () => void disk.events.push({ kind: 'promise', id: `call-${id}` }),
      () => undefined,
    );
  await admit('a');
  await Promise.all(['b', 'cc', 'ddd', 'eeee'].map(admit));
  audit.note(ended('a'));
  await admit('f');
  disk.trouble = { write: 700 };
  await Promise.all(['lost-1', 'lost-2', 'lost-3'].map(admit));
  disk.trouble = { sync: new Error('EIO') };
  await admit('lost-4');
  disk.trouble = { write: 100, truncate: new Error('EIO') };
  await admit('lost-5');
  audit.note(refused('g'));
  disk.trouble = {};
  await Promise.all(['hh', 'i'].map(admit));
  audit.note(ended('b'));
  await nextTurn();
  audit.close();
};

test('after a crash at any moment, with any part of what was not synced, every promised admission is there and nothing looks edited', async () => {
  await using place = await tempFolder();
  const [clock, disk] = [manualClock(), new MemoryDisk()];
  const keyFile = join(place.path, 'audit.key');
  const parts = { folder: join(place.path, 'audit'), keyFile, clock, store: memoryStore(clock), log: () => undefined };
  const audit = await openAudit({ ...parts, random: randomBytes, disk });
  await story(audit, disk);
  const key = readKey(keyFile, undefined);
  const name = [...disk.files.keys()][0]?.split('/').at(-1) ?? '';

  const promised = disk.events.flatMap(event => (event.kind === 'promise' ? [event.id] : []));
  expect(promised.sort()).toEqual(['a', 'b', 'cc', 'ddd', 'eeee', 'f', 'hh', 'i'].map(id => `call-${id}`));
  let states = 0;
  for (let at = 0; at <= disk.events.length; at++) {
    const events = disk.events.slice(0, at);
    for (const file of crashes(events)) {
      states += 1;
      const { fault, torn } = scan(key, name, file, 1);
      const whole = file.subarray(0, file.length - (torn?.bytes ?? 0)).toString();
      expect({ at, fault }).toEqual({ at, fault: undefined });
      for (const event of events)
        if (event.kind === 'promise') expect(whole).toContain(`"event":"admitted","call_id":"${event.id}"`);
    }
  }
  expect(states).toBeGreaterThan(100);
});
