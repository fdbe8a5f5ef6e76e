import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { appendFile, chmod, chown, mkdir, readdir, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Failure } from '../../../src/errors.ts';
import { leaveOf } from '../../support/leave.ts';
import { mayChooseAccount, startSshd } from '../../support/sshd.ts';
import { tempFolder } from '../../support/temp.ts';
import { failureOf, type Ground, groundOn, layGround, namesIn, sumOf } from './ground.ts';
import { atStep, hurriedClock } from './hurried-clock.ts';

let ground: Ground;
beforeAll(async () => {
  ground = await layGround({}, { clock: hurriedClock() });
});
afterAll(async () => {
  await ground[Symbol.asyncDispose]();
});

const here = (name: string) => join(ground.here, name);
const there = (name: string) => join(ground.there, name);
const partsIn = async (folder: string) => (await namesIn(folder)).filter(name => name.includes('.sallyport-'));

/** Reads and writes all of a part of the way: acts when so many bytes were charged and none has moved. */
const actingLeave = (act: () => Promise<void>) =>
  leaveOf(undefined, async bytes => {
    if (bytes > 0) await act();
    return undefined;
  });

describe('a source that changes while it is copied', () => {
  const size = 5_000_000;

  test.each(['up', 'down'] as const)('one that shrinks is refused, and the old file stays (%s)', async way => {
    const [source, goal] = way === 'up' ? [here, there] : [there, here];
    await writeFile(source(`shrinks-${way}`), randomBytes(size));
    await writeFile(goal(`shrinks-${way}`), 'old');
    const leave = actingLeave(async () => await truncate(source(`shrinks-${way}`), 1_000_000));
    const failure = await failureOf(ground[way](`shrinks-${way}`, `shrinks-${way}`, { leave }));
    expect([failure.code, failure.message]).toEqual([
      'FILE_FAILED',
      expect.stringContaining('was changed while it was copied'),
    ]);
    expect(await readFile(goal(`shrinks-${way}`), 'utf8')).toBe('old');
    expect(await partsIn(way === 'up' ? ground.there : ground.here)).toEqual([]);
  });

  test.each(['up', 'down'] as const)('one that is appended to is copied as far as it was (%s)', async way => {
    const [source, goal] = way === 'up' ? [here, there] : [there, here];
    const bytes = randomBytes(size);
    await writeFile(source(`grows-${way}`), bytes);
    const leave = actingLeave(async () => await appendFile(source(`grows-${way}`), 'more'));
    expect(await ground[way](`grows-${way}`, `grows-${way}`, { leave })).toMatchObject({ size });
    expect((await readFile(goal(`grows-${way}`))).equals(bytes)).toBe(true);
  });

  test('one that is written anew is refused', async () => {
    await writeFile(here('anew'), randomBytes(size));
    const leave = actingLeave(async () => await writeFile(here('anew'), randomBytes(size)));
    expect((await failureOf(ground.up('anew', 'anew', { leave }))).code).toBe('FILE_FAILED');
  });
});

describe('leave', () => {
  const denied = new Failure('POLICY_DENIED', 'No rule grants it.');

  test('what is refused is not opened, made or listed, and is refused whether or not it is there', async () => {
    const leave = { ...leaveOf(() => denied), barred: () => undefined };
    const before = await namesIn(ground.there);
    for (const name of ['secret', 'missing', 'no/such/folder']) {
      if (name === 'secret') await writeFile(there(name), 'x');
      expect(await failureOf(ground.text(name, {}, { leave }))).toBe(denied);
      expect(await failureOf(ground.up(name, { content: 'new' }, { leave }))).toBe(denied);
    }
    expect(await readFile(there('secret'), 'utf8')).toBe('x');
    expect((await namesIn(ground.there)).filter(name => !before.includes(name))).toEqual(['secret']);
  });

  test('the real path is what is judged, and its bytes are charged before they move', async () => {
    await mkdir(there('real'));
    await writeFile(there('real/f'), 'abc');
    execFileSync('ln', ['-s', 'real', there('alias')]);
    const leave = leaveOf();
    await ground.text('alias/f', {}, { leave });
    expect(leave.asked).toEqual([{ access: 'read', path: there('real/f') }, { bytes: 0 }, { bytes: 3 }]);
  });

  test('a policy that changes on the way is obeyed before the final name, and no part stays', async () => {
    await writeFile(here('big'), randomBytes(1_000_000));
    let over = false;
    const leave = leaveOf(
      () => (over ? denied : undefined),
      async bytes => {
        if (bytes > 0) over = true;
        return undefined;
      },
    );
    expect(await failureOf(ground.up('late', 'big', { leave }))).toBe(denied);
    expect((await namesIn(ground.there)).filter(name => name.includes('late'))).toEqual([]);
  });

  test('a limit that is reached refuses before a byte moves', async () => {
    await writeFile(here('much'), randomBytes(1_000_000));
    const limited = new Failure('RATE_LIMITED', 'Too much.');
    const leave = leaveOf(undefined, async (_bytes, total) => (total > 999_999 ? limited : undefined));
    const failures = [await failureOf(ground.up('much', 'much', { leave }))];
    await writeFile(there('much'), randomBytes(1_000_000));
    failures.push(await failureOf(ground.down('much', 'less', { leave })));
    expect(failures).toEqual([limited, limited]);
    expect([...(await partsIn(ground.there)), ...(await partsIn(ground.here))]).toEqual([]);
  });
});

describe('giving up', () => {
  const size = 30_000_000;

  test.each(['up', 'down'] as const)('keeps a part to go on with, and nothing under the final name (%s)', async way => {
    const [source, goal, folder] = way === 'up' ? [here, there, ground.there] : [there, here, ground.here];
    await writeFile(source(`g-${way}`), randomBytes(size));
    const abort = new AbortController();
    const leave = leaveOf();
    const failure = await failureOf(
      ground[way](`g-${way}`, `g-${way}`, { leave, signal: abort.signal, progress: atStep(40, () => abort.abort()) }),
    );
    expect(failure.code).toBe('CANCELLED');
    const kept = Number(failure.details.resumable_bytes);
    expect(kept).toBeGreaterThan(65_535);
    expect((await namesIn(folder)).filter(name => name.includes(`g-${way}`))).toEqual([
      expect.stringMatching(/\.part$/),
    ]);
    const result = await ground[way](`g-${way}`, `g-${way}`, { resume: true });
    expect(result).toMatchObject({ resumedFrom: kept, bytes: size - kept });
    expect(await sumOf(goal(`g-${way}`))).toBe(await sumOf(source(`g-${way}`)));
  });

  test('a part that was changed meanwhile is not gone on with', async () => {
    await writeFile(here('tampered'), randomBytes(size));
    const abort = new AbortController();
    await failureOf(
      ground.up('tampered', 'tampered', { signal: abort.signal, progress: atStep(40, () => abort.abort()) }),
    );
    const [part = ''] = (await partsIn(ground.there)).filter(name => name.includes('tampered'));
    const bytes = await readFile(there(part));
    bytes[1_000] = (bytes[1_000] ?? 0) ^ 1;
    await writeFile(there(part), bytes);
    expect(await ground.up('tampered', 'tampered', { resume: true })).toMatchObject({ bytes: size });
    expect(await sumOf(there('tampered'))).toBe(await sumOf(here('tampered')));
  });

  test('a part of another grant is not gone on with', async () => {
    await writeFile(here('foreign'), randomBytes(size));
    const abort = new AbortController();
    await failureOf(
      ground.up('foreign', 'foreign', { signal: abort.signal, progress: atStep(40, () => abort.abort()) }),
    );
    expect(await ground.up('foreign', 'foreign', { resume: true, grant: 'other' })).toMatchObject({ bytes: size });
  });

  test.runIf(process.getuid?.() === 0)('a part that somebody else owns is not gone on with', async () => {
    await writeFile(here('planted'), randomBytes(size));
    const abort = new AbortController();
    await failureOf(
      ground.up('planted', 'planted', { signal: abort.signal, progress: atStep(40, () => abort.abort()) }),
    );
    const [part = ''] = (await partsIn(ground.there)).filter(name => name.includes('planted'));
    await chown(there(part), 65_534, 65_534);
    expect(await ground.up('planted', 'planted', { resume: true })).toMatchObject({ bytes: size });
    expect((await stat(there('planted'))).uid).toBe(0);
  });

  test('what is revoked leaves no part', async () => {
    await writeFile(here('revoked'), randomBytes(size));
    const revoke = new AbortController();
    const failure = await failureOf(
      ground.up('revoked', 'revoked', { revoked: revoke.signal, progress: atStep(40, () => revoke.abort()) }),
    );
    expect([failure.code, failure.details]).toEqual(['CANCELLED', {}]);
    expect((await namesIn(ground.there)).filter(name => name.includes('revoked'))).toEqual([]);
  });
});

describe('an account that may not', () => {
  // Root may do everything: another account is asked instead.
  const asNobody = async (work: (ground: Ground) => Promise<void>) => {
    const sshd = await startSshd({
      config: ['ForceCommand setpriv --reuid=65534 --regid=65534 --clear-groups /usr/lib/openssh/sftp-server'],
    });
    try {
      await using own = await groundOn(sshd);
      await chmod(own.there, 0o777);
      execFileSync('chmod', ['755', join(own.there, '..')]);
      await work(own);
    } finally {
      await sshd.close();
    }
  };

  test.runIf(process.getuid?.() === 0)('is told so, for reading, for writing and for the folder', async () => {
    await asNobody(async own => {
      await writeFile(join(own.there, 'private'), 'x', { mode: 0o600 });
      await writeFile(join(own.there, 'readonly'), 'x', { mode: 0o444 });
      await mkdir(join(own.there, 'closed'), { mode: 0o755 });
      await writeFile(join(own.there, 'closed', 'readonly'), 'x', { mode: 0o444 });
      const failures = await Promise.all([
        failureOf(own.text('private')),
        failureOf(own.up('readonly', { content: 'new' })),
        failureOf(own.up('closed/x', { content: 'new' })),
        failureOf(own.up('closed/readonly', { content: 'new' })),
      ]);
      expect(failures.map(({ code }) => code)).toEqual(Array(4).fill('FILE_DENIED'));
      expect(failures[3]?.message).toBe(`The account on web may not write to ${join(own.there, 'closed/readonly')}.`);
      expect(await readFile(join(own.there, 'readonly'), 'utf8')).toBe('x');
    });
  });

  test.runIf(process.getuid?.() === 0)(
    'and loses its leave on the way keeps the part, and the old file stays',
    async () => {
      await asNobody(async own => {
        await writeFile(join(own.here, 'f'), randomBytes(1_000_000));
        const leave = actingLeave(async () => await chmod(own.there, 0o755));
        const failure = await failureOf(own.up('f', 'f', { leave }));
        expect([failure.code, failure.details.resumable_bytes]).toEqual(['FILE_DENIED', 1_000_000]);
        await chmod(own.there, 0o777);
        expect(await own.up('f', 'f', { resume: true })).toMatchObject({ bytes: 0, resumedFrom: 1_000_000 });
        expect(await namesIn(own.there)).toEqual(['f']);
      });
    },
  );
});

describe.runIf(mayChooseAccount())('a full disk', () => {
  test('on the host: what cannot fit is refused at once, and what fills it is taken away', async () => {
    const temp = await tempFolder('sallyport-full-');
    const within = ['unshare', '-m', 'sh', '-c', 'mount -t tmpfs -o size=700k none "$0" && exec "$@"', temp.path];
    const sshd = await startSshd({ elsewhere: { within, address: '127.0.0.2' } });
    try {
      await using own = await groundOn(sshd);
      const seen = async () => await readdir(`/proc/${sshd.pid}/root${temp.path}`);
      await writeFile(join(own.here, 'big'), randomBytes(5_000_000));
      await writeFile(join(own.here, 'small'), randomBytes(900_000));
      const big = await failureOf(own.up(join(temp.path, 'big'), 'big'));
      const small = await failureOf(own.up(join(temp.path, 'small'), 'small'));
      expect([big.code, small.code]).toEqual(['FILE_FAILED', 'FILE_FAILED']);
      expect(big.message).toMatch(/^web has room for \d+ bytes where .* is to be, and it needs 5000000\.$/);
      expect(small.message).toMatch(/its disk is full\.$/);
      expect(small.details.resumable_bytes).toBeUndefined();
      expect(await seen()).toEqual([]);
    } finally {
      await sshd.close();
      await temp.remove();
    }
  });

  test('here: what cannot fit is refused at once', async () => {
    const temp = await tempFolder('sallyport-full-');
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=700k,mode=700', 'none', temp.path]);
    try {
      await using own = await groundOn(ground.sshd, { files: { roots: [temp.path] } });
      await writeFile(join(own.there, 'big'), randomBytes(5_000_000));
      const failure = await failureOf(own.down('big', 'big'));
      expect([failure.code, failure.details.no_room]).toEqual(['LOCAL_FAILED', true]);
      const filling = actingLeave(async () => await writeFile(join(temp.path, 'filler'), Buffer.alloc(400_000)));
      await writeFile(join(own.there, 'some'), randomBytes(600_000));
      const filled = await failureOf(own.down('some', 'some', { leave: filling }));
      expect([filled.code, filled.details.resumable_bytes]).toEqual(['LOCAL_FAILED', undefined]);
      expect(await namesIn(temp.path)).toEqual(['filler']);
    } finally {
      spawnSync('umount', ['-l', temp.path]);
      await temp.remove();
    }
  });
});
