import { expect, test } from 'vitest';
import type { Audit, AuditRecord } from '../../src/audit/record.ts';
import { lazyAudit, lazyStore } from '../../src/cli/lazy.ts';
import { memoryStore } from '../../src/state/memory.ts';
import { manualClock } from '../support/clock.ts';

const record = (name: string): AuditRecord => ({ event: 'started', detail: name });

/** An audit that writes down what it is asked for. */
const spy = (): { audit: Audit; asked: readonly string[] } => {
  const asked: string[] = [];
  const nameOf = (each: AuditRecord): string => ('detail' in each ? String(each.detail) : each.event);
  return {
    asked,
    audit: {
      admit: async each => void asked.push(`admit ${nameOf(each)}`),
      note: each => void asked.push(`note ${nameOf(each)}`),
      close: () => void asked.push('close'),
    },
  };
};

test('nothing is opened before the first use, and once only', async () => {
  let opened = 0;
  const late = lazyStore(async () => {
    opened += 1;
    return memoryStore(manualClock());
  });
  expect(late.isOpen()).toBe(false);
  late.thing.close();
  expect(opened).toBe(0);
  await Promise.all([late.thing.heads(), late.thing.heads(), late.ready()]);
  expect([opened, late.isOpen()]).toEqual([1, true]);
});

test('what could not be opened is tried again by the next use', async () => {
  let tries = 0;
  const late = lazyStore(async () => {
    tries += 1;
    if (tries < 3) throw new Error(`no ${tries}`);
    return memoryStore(manualClock());
  });
  await expect(late.thing.heads()).rejects.toThrow('no 1');
  await expect(late.thing.heads()).rejects.toThrow('no 2');
  expect(await late.thing.heads()).toEqual([]);
});

test('notes wait in order until the audit is open, and an admission comes after them', async () => {
  const { audit, asked } = spy();
  let open: (audit: Audit) => void = () => undefined;
  const late = lazyAudit(() => new Promise(resolve => (open = resolve)));
  late.thing.note(record('1'));
  const admitted = late.thing.admit(record('2'));
  late.thing.note(record('3'));
  expect(asked).toEqual([]);
  open(audit);
  await admitted;
  late.thing.note(record('4'));
  expect(asked).toEqual(['note 1', 'note 3', 'admit 2', 'note 4']);
});

test('notes outlive an opening that failed', async () => {
  const { audit, asked } = spy();
  let fails = true;
  const late = lazyAudit(async () => {
    if (fails) throw new Error('the disk is full');
    return audit;
  });
  late.thing.note(record('1'));
  await late.idle();
  await expect(late.thing.admit(record('2'))).rejects.toThrow('the disk is full');
  fails = false;
  await late.thing.admit(record('3'));
  expect(asked).toEqual(['note 1', 'admit 3']);
});

test('an audit that is closed while it opens is closed as soon as it is open; twice is once', async () => {
  const { audit, asked } = spy();
  const late = lazyAudit(async () => audit);
  late.thing.note(record('1'));
  late.thing.close();
  late.thing.close();
  await late.idle();
  late.thing.close();
  expect(asked).toEqual(['note 1', 'close']);
});

test('an audit that was never used closes nothing and opens nothing', async () => {
  let opened = false;
  const late = lazyAudit(async () => {
    opened = true;
    return spy().audit;
  });
  late.thing.close();
  await late.idle();
  expect(opened).toBe(false);
});
