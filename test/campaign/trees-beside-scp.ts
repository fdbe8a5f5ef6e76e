import { execFile, spawn } from 'node:child_process';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import { layTreeGround, type TreeGround } from '../ssh/transfer/tree/ground.ts';
import { type Sshd, startSshd } from '../support/sshd.ts';
import { untilTrue } from '../support/until.ts';

// Copies a tree of many small files up and down, by us and by `scp -r` over a warm master, in turns: node scripts/run.mjs THIS [--files N] [--rounds N]
const run = promisify(execFile);
const { values } = parseArgs({
  options: {
    files: { type: 'string', default: '10000' },
    bytes: { type: 'string', default: '4096' },
    rounds: { type: 'string', default: '3' },
  },
});
const [count, bytes, rounds] = [Number(values.files), Number(values.bytes), Number(values.rounds)];

const filled = async (ground: TreeGround): Promise<string> => {
  const root = await ground.folder();
  for (let index = 0; index < count; index += 1) {
    const folder = join(root, `d${Math.floor(index / 100)}`);
    if (index % 100 === 0) await mkdir(folder);
    await writeFile(join(folder, `f${index}`), Buffer.alloc(bytes, index));
  }
  return root;
};

/** A warm OpenSSH master, and scp over it. */
const scpOver = async (sshd: Sshd, { temp }: TreeGround) => {
  const key = await sshd.userKey();
  const socket = join(temp.path, 'm');
  const options = ['-F', '/dev/null', '-o', `UserKnownHostsFile=${sshd.knownHosts}`, '-o', `ControlPath=${socket}`];
  const where = ['-i', key.path, '-p', String(sshd.port)];
  const master = spawn('ssh', [...options, ...where, '-M', '-N', `${sshd.user}@127.0.0.1`], { stdio: 'ignore' });
  await untilTrue(
    async () => (await run('ssh', [...options, '-O', 'check', 'x']).catch(() => undefined)) !== undefined,
  );
  const at = (path: string): string => `${sshd.user}@127.0.0.1:${path}`;
  const scp = async (from: string, to: string) =>
    await run('scp', [...options, '-q', '-r', '-p', '-P', String(sshd.port), from, to]);
  return {
    up: async (local: string, remote: string) => await scp(local, at(remote)),
    down: async (remote: string, local: string) => await scp(at(remote), local),
    end: () => master.kill(),
  };
};

const timed = async (work: () => Promise<unknown>): Promise<number> => {
  const started = performance.now();
  await work();
  return performance.now() - started;
};

const median = (list: readonly number[]): number => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? 0;

await using sshd = await startSshd();
await using ground = await layTreeGround({ sshd });
const scp = await scpOver(sshd, ground);
const source = await filled(ground);
const took: Record<string, number[]> = {};
const arm = async (name: string, to: string, work: () => Promise<unknown>): Promise<void> => {
  const ms = await timed(work);
  took[name] = [...(took[name] ?? []), ms];
  process.stdout.write(`${name} ${Math.round((count / ms) * 1_000)} files/s\n`);
  await rm(to, { recursive: true, force: true });
};
for (let round = 0; round < rounds; round += 1) {
  for (const [name, copy] of [
    ['scp -r up', scp.up],
    ['ours up', ground.upload],
    ['scp -r down', scp.down],
    ['ours down', ground.download],
  ] as const) {
    const to = ground.nothing();
    await arm(name, to, async () => await copy(source, to));
  }
}
scp.end();
for (const way of ['up', 'down'])
  process.stdout.write(
    `${way}: ${(median(took[`scp -r ${way}`] ?? []) / median(took[`ours ${way}`] ?? [])).toFixed(2)} x scp -r\n`,
  );
