import { afterEach, describe, expect, test } from 'vitest';
import { after } from '../../../src/ssh/timer.ts';
import { ranOf, type TestFleet, testFleet } from '../../support/fleet.ts';
import { type Manner, manners, type RudeHost, type Rudeness, startRudeHost } from '../../support/rude-host.ts';

const open: { host: RudeHost; fleet: TestFleet }[] = [];
afterEach(async () => {
  for (const { host, fleet } of open.splice(0)) {
    fleet[Symbol.dispose]();
    await host.close();
  }
});

/** A host that treats our commands in one manner and the reaper in another, and time that runs so much faster. */
const rude = async (
  command: Manner,
  reaper: Manner = manners.silent,
  speed = 1,
  rudeness: Rudeness = {},
): Promise<TestFleet> => {
  const mannerOf = (text: string): Manner => {
    if (text.includes('SALLYPORT_REAPER=')) return reaper;
    return text.startsWith('echo "sallyport:') ? manners.polite : command;
  };
  const host = await startRudeHost({ ...rudeness, exec: mannerOf });
  const fleet = testFleet(host.host(), { ...host, after: (ms, run) => after(ms / speed, run) });
  open.push({ host, fleet });
  return fleet;
};

/** The reaper's answer as a host would write it that lies, or does not know how. */
const answers =
  (...lines: string[]): Manner =>
  exec => {
    const nonce = /SALLYPORT_REAPER='([0-9a-f]+)'/.exec(exec.command)?.[1] ?? '';
    const channel = exec.accept();
    channel.write(lines.map(line => `\n${nonce} ${line}\n`).join(''));
    channel.exit(0);
    channel.end();
  };

const lost = { how: 'lost', why: expect.objectContaining({ code: 'CONNECTION_LOST' }) };

describe('a host that', () => {
  test.each([
    ['sends status and end in the packet of its answer', manners.instantly, { how: 'exited', code: 7 }, ''],
    ['drops the line in the middle', manners.drop, lost, expect.stringMatching(/^(partial)?$/)],
    ['ends the output before it says the status', manners.eofBeforeStatus, { how: 'exited', code: 5 }, 'early'],
    ['never says how it ended', manners.noStatus, lost, 'what became of it?'],
    ['says two statuses', manners.twoStatuses, { how: 'exited', code: 0 }, 'which?'],
    ['splits every character', manners.splitCharacters, { how: 'exited', code: 0 }, 'é€😀é€😀é€😀'],
  ])('%s', async (_what, manner, end, stdout) => {
    const fleet = await rude(manner);
    const ran = await fleet.run('x');
    expect([ran.end, ran.stdout]).toEqual([end, stdout]);
  });

  test('refuses commands is told apart from one that loses them', async () => {
    await expect((await rude(manners.refuse)).run('x')).rejects.toMatchObject({ code: 'UNSUPPORTED' });
  });

  test('does not say what its login shell is, is spoken to as if that were any', async () => {
    const host = await startRudeHost({ exec: text => (text.startsWith('echo') ? manners.silent : manners.polite) });
    const fleet = testFleet(host.host(), { ...host, after: (ms, run) => after(ms / 100, run) });
    open.push({ host, fleet });
    const { stdout } = await fleet.run('x', { timeoutMs: 6_000_000 });
    expect(stdout).toMatch(/^ran: exec \/usr\/bin\/env SALLYPORT_ID=[0-9a-f.]+ "\$SHELL" -c 'x'$/);
  });

  test('writes after its own end does no harm', async () => {
    const fleet = await rude(exec => {
      const channel = exec.accept();
      channel.write('before');
      exec.eof();
      channel.write('after');
      channel.stderr.write('after');
      exec.status(0);
      exec.close();
    });
    const { end, stdout } = await fleet.run('x');
    expect([end, stdout]).toEqual([{ how: 'exited', code: 0 }, 'before']);
  });

  test('ends the program and never closes its channel: the end comes all the same', async () => {
    const fleet = await rude(exec => {
      exec.accept().write('done');
      exec.status(3);
    });
    const { end, stdout } = await fleet.run('x');
    expect([end, stdout]).toEqual([{ how: 'exited', code: 3, outputHeld: true }, 'done']);
  });
});

/** Accepts, writes, and goes on until its channel is closed from here; signals end it only if it likes. */
const stubborn: Manner = exec => exec.accept().write('up');

describe('a host that never takes a byte', () => {
  test.each([
    ['runs what it is asked to, which its input has no part in', manners.polite, { how: 'exited', code: 0 }],
    ['hangs nothing past the time-out: unproved, as no reaper can be spoken to', stubborn, { how: 'timed_out' }],
  ])('%s', async (_what, manner, end) => {
    const fleet = await rude(manner, manners.silent, 10, { window: 0 });
    const ran = await fleet.run('x', { stdin: 'a'.repeat(1_000_000), timeoutMs: 5_000 });
    expect(ran.end).toMatchObject(end);
  });
});

describe('stopping on a host that', () => {
  const cancelled = async (fleet: TestFleet) => {
    const { command } = await fleet.start('x');
    await command.stdout.grown(0);
    const report = await fleet.cancel(command);
    return { report, end: (await ranOf(command)).end };
  };

  test.each([
    ['lies that nothing is left while the channel stays open', answers('end')],
    ['cannot look', answers('blind', 'end')],
    ['answers half', answers('rung INT')],
    ['has no shell for the reaper', manners.refuse],
    ['drops the line', manners.drop],
  ])('%s is never called confirmed', async (_what, reaper) => {
    const { report, end } = await cancelled(await rude(stubborn, reaper, 3));
    expect(report).toMatchObject({ outcome: 'unconfirmed', remaining: [] });
    expect(end).toEqual({ how: 'cancelled', stop: report });
  });

  test('has said how the program ended already: that stays its end', async () => {
    const fleet = await rude(
      exec => {
        const channel = exec.accept();
        exec.status(3);
        channel.write('after the status');
      },
      answers('rung INT', 'end'),
    );
    const { command } = await fleet.start('x');
    await command.stdout.grown(0);
    const report = await fleet.cancel(command);
    expect([report.outcome, await command.ended]).toEqual(['unconfirmed', { how: 'exited', code: 3 }]);
  });

  test('names survivors has them listed, safely', async () => {
    const reaper = answers('rung INT', 'rung TERM', 'rung KILL', 'left 77 evil\u001b[2J \u202e', 'end');
    const { report } = await cancelled(await rude(stubborn, reaper));
    expect(report).toEqual({
      outcome: 'unconfirmed',
      signals: ['INT', 'TERM', 'KILL'],
      remaining: [{ pid: 77, command: 'evil \\u{202e}' }],
    });
  });

  test('never answers the reaper is given up after its deadline', async () => {
    const { report } = await cancelled(await rude(stubborn, manners.silent, 10));
    expect(report.outcome).toBe('unconfirmed');
  });

  test('floods goes on flooding nobody', async () => {
    const fleet = await rude(manners.endless, answers('blind', 'end'), 3);
    const { report, end } = await cancelled(fleet);
    expect([report.outcome, end.how]).toEqual(['unconfirmed', 'cancelled']);
  });
});
