import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { newTransferId, newTunnelId } from '../../src/call.ts';
import type { ControlAnswer } from '../../src/console/answers.ts';
import { answerWith } from '../../src/console/control.ts';
import { type Overseen, Overseer } from '../../src/ssh/overseer.ts';
import { overseenTransfer } from '../../src/ssh/transfer/overseen-transfer.ts';
import type { TransferView } from '../../src/ssh/transfer/transfer.ts';
import { untilTrue } from '../support/until.ts';

/** A control desk whose time passes when a test says so. */
const desk = () => {
  const overseer = new Overseer();
  const due = new Set<() => void>();
  const answers: ControlAnswer[] = [];
  const records: unknown[] = [];
  const gone = new AbortController();
  const answer = answerWith({
    overseer,
    server: { pid: 1, version: '1', grant: 'local' },
    connections: () => [],
    record: (one: Overseen, report) => void records.push([one.kind, one.what, report.outcome]),
    after: (_ms, run) => {
      due.add(run);
      return () => void due.delete(run);
    },
    log: () => undefined,
  });
  const client = { send: async (one: ControlAnswer) => void answers.push(one), gone: gone.signal };
  const tick = (): void => {
    for (const run of [...due]) {
      due.delete(run);
      run();
    }
  };
  const ask = (request: object) => answer(JSON.stringify({ v: 1, ...request }), client);
  return { overseer, answers, records, gone, ask, tick };
};

/** Something that ends when it is told. */
const ending = () => {
  let settle: (how: string) => void = () => undefined;
  let open = true;
  const ended = new Promise<string>(resolve => {
    settle = resolve;
  });
  const end = (how: string): void => {
    open = false;
    settle(how);
  };
  return { ended, end, isOpen: () => open };
};

const transferIn = (overseer: Overseer) => {
  const life = ending();
  let view: TransferView = {
    ...{
      host: 'web-1',
      direction: 'upload',
      remotePath: '/srv/\u202ex',
      bytes: 0,
      totalBytes: 80_000_000,
      durationMs: 0,
    },
  };
  const id = newTransferId(randomBytes);
  const stop = async (): Promise<void> => life.end('cancelled');
  overseer.began(
    overseenTransfer(id, { grant: 'local', view: () => view, stop, open: life.isOpen, ended: life.ended }),
  );
  const move = (bytes: number): void => {
    view = { ...view, bytes, durationMs: view.durationMs + 1_000 };
  };
  return { id, move, ...life };
};

const TUNNEL: Overseen = {
  ...{ id: newTunnelId(randomBytes), kind: 'tunnel', grant: 'ci', host: 'db-1' },
  what: 'local 15432 to 127.0.0.1:5432',
  look: () => ({ status: 'waiting', durationMs: 7, idleMs: 12, progress: '1 of 14 connections open', over: false }),
  end: async () => ({ outcome: 'confirmed', signals: [], remaining: [] }),
  ended: new Promise(() => undefined),
};

test('a transfer and a tunnel are listed as what they are, with how far they are, all of it safe to show', async () => {
  const { overseer, answers, ask } = desk();
  const transfer = transferIn(overseer);
  transfer.move(12_300_000);
  overseer.began(TUNNEL);
  await ask({ op: 'list' });
  expect(answers).toMatchObject([
    {
      open: [
        {
          ...{ id: transfer.id, kind: 'transfer', grant: 'local', host: 'web-1', status: 'running', duration_ms: 1000 },
          what: 'upload /srv/\\u{202e}x',
          progress: '12.3 MB of 80.0 MB, 12.3 MB/s',
        },
        {
          ...{
            id: TUNNEL.id,
            kind: 'tunnel',
            grant: 'ci',
            host: 'db-1',
            status: 'waiting',
            duration_ms: 7,
            idle_ms: 12,
          },
          what: 'local 15432 to 127.0.0.1:5432',
          progress: '1 of 14 connections open',
        },
      ],
    },
  ]);
});

test('who watches a transfer is told how far it is whenever it is farther, and how it ended', async () => {
  const { overseer, answers, ask, tick } = desk();
  const { id, move, end } = transferIn(overseer);
  const watching = ask({ op: 'watch', id });
  await untilTrue(() => answers.length === 1);
  tick();
  move(8_000_000);
  await untilTrue(() => {
    tick();
    return answers.length === 2;
  });
  end('done');
  await watching;
  expect(answers).toEqual([
    { v: 1, answer: 'output', id, text: '0 bytes of 80.0 MB\n' },
    { v: 1, answer: 'output', id, text: '8.0 MB of 80.0 MB, 8.0 MB/s\n' },
    { v: 1, answer: 'ended', id, status: 'done' },
  ]);
});

test('who watches a transfer and goes keeps nothing going', async () => {
  const { overseer, answers, gone, ask, tick } = desk();
  const { id } = transferIn(overseer);
  const watching = ask({ op: 'watch', id });
  await untilTrue(() => answers.length === 1);
  gone.abort();
  await watching;
  tick();
  expect(answers).toHaveLength(2);
});

test('an operator ends a transfer, which is on record, and a second time there is nothing of that name', async () => {
  const { overseer, answers, records, ask } = desk();
  const { id } = transferIn(overseer);
  await ask({ op: 'end', id });
  await ask({ op: 'end', id });
  expect(answers).toEqual([
    { v: 1, answer: 'stopped', id, outcome: 'confirmed', signals: [], remaining: [] },
    { v: 1, answer: 'failed', code: 'UNKNOWN_ID', message: expect.stringContaining(id) },
  ]);
  expect(records).toEqual([['transfer', 'upload /srv/\\u{202e}x', 'confirmed']]);
});
