import { rmSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { leaveOf } from '../../../support/leave.ts';
import { startSshd } from '../../../support/sshd.ts';
import { tempFolder } from '../../../support/temp.ts';
import { layTreeGround } from './ground.ts';
import { failureOf, layIn, manyFiles } from './lay.ts';

/** The SFTP server of OpenSSH, wherever it is, with room for few descriptors. */
const FEW = `#!/bin/sh
ulimit -n 40
for folder in /usr/lib/openssh /usr/libexec/openssh /usr/lib/ssh /usr/libexec; do
  if [ -x "$folder/sftp-server" ]; then exec "$folder/sftp-server"; fi
done
`;

test('a host that lets few folders be open at a time has all of its extra ones deleted', async () => {
  await using temp = await tempFolder('sallyport-few-');
  const program = join(temp.path, 'sftp');
  await temp.write('sftp', FEW, 0o755);
  await using sshd = await startSshd({ config: [`Subsystem sftp ${program}`] });
  await using ground = await layTreeGround({ sshd });
  const from = await layIn(await ground.folder(), { kept: 'kept' });
  const there = await layIn(await ground.folder(), manyFiles(200, 100));
  expect(await ground.upload(from, there, { deleteExtra: true })).toMatchObject({ deleted: 300, leftOutCount: 0 });
  expect(await readdir(there)).toEqual(['kept']);
});

test('of a folder that goes away here while it is compared, nothing is deleted there', async () => {
  await using ground = await layTreeGround();
  const from = await layIn(await ground.folder(), { 'in/a': 'a', 'in/b': 'b' });
  const there = ground.nothing();
  await ground.upload(from, there);
  let listed = 0;
  const leave = leaveOf((access, path) => {
    if (access !== 'list' || path !== join(there, 'in')) return undefined;
    listed += 1;
    // The first time is that of the copy.
    if (listed === 2) rmSync(join(from, 'in'), { recursive: true });
    return undefined;
  });
  const failure = await failureOf(ground.upload(from, there, { deleteExtra: true, leave }));
  expect([failure.code, (await readdir(join(there, 'in'))).sort()]).toEqual(['FILE_MOVED', ['a', 'b']]);
});
