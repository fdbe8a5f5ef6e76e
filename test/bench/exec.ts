import { execFile, spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'ssh2';
import { ALLOW_ALL, homeFor, raw, structured } from '../support/home.ts';
import type { Sshd } from '../support/sshd.ts';
import { type Figures, inTurn } from './figures.ts';

const run = promisify(execFile);

/** Warm `true` on one sshd: through the whole server, through ssh2 alone, and through OpenSSH's own multiplexing. */
export const warmExec = async (sshd: Sshd, rounds: number): Promise<Readonly<Record<string, Figures>>> => {
  await using place = await homeFor(sshd, ALLOW_ALL);
  await using server = raw(place);
  const bare = await bareClient(sshd);
  const master = await openMaster(sshd, place.path);
  const ours = async (): Promise<void> => {
    const result = structured(await server.call('ssh_exec', { host: 'web-1', command: 'true' }));
    if (result.exit_code !== 0) throw new Error(JSON.stringify(result));
  };
  try {
    for (let warm = 0; warm < 10; warm += 1) await inTurn({ ours, bare: bare.exec, master: master.exec }, 1);
    return await inTurn({ ours, bare: bare.exec, master: master.exec }, rounds);
  } finally {
    bare.close();
    await master.close();
  }
};

/** ssh2 as it comes, but with no-delay from the first byte, which is the best that it can do. */
export const bareClient = async (sshd: Sshd): Promise<{ exec: () => Promise<void>; close: () => void }> => {
  const privateKey = await readFile((await sshd.userKey()).path);
  const client = new Client();
  const sock = connect({ host: '127.0.0.1', port: sshd.port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ sock, username: sshd.user, privateKey });
  });
  const exec = (): Promise<void> =>
    new Promise((resolve, reject) => {
      client.exec('true', (error, channel) => {
        if (error) return reject(error);
        channel.on('close', (code: unknown) => (code === 0 ? resolve() : reject(new Error(`status ${String(code)}`))));
        channel.resume();
        channel.stderr.resume();
        channel.end();
      });
    });
  return { exec, close: () => client.end() };
};

/** A ControlMaster, and a client of it for each command. */
const openMaster = async (
  sshd: Sshd,
  folder: string,
): Promise<{ exec: () => Promise<void>; close: () => Promise<void> }> => {
  const socket = join(folder, 'mux');
  const options = [
    '-F',
    '/dev/null',
    '-o',
    `UserKnownHostsFile=${sshd.knownHosts}`,
    '-o',
    'IdentitiesOnly=yes',
    '-i',
    (await sshd.userKey()).path,
    '-p',
    String(sshd.port),
    '-S',
    socket,
  ];
  const target = `${sshd.user}@127.0.0.1`;
  const master = spawn('ssh', [...options, '-M', '-N', target], { stdio: ['ignore', 'ignore', 'inherit'] });
  const ended = new Promise(resolve => master.once('exit', resolve));
  const check = async (): Promise<boolean> =>
    run('ssh', [...options, '-O', 'check', target]).then(
      () => true,
      () => false,
    );
  while (!(await check()));
  return {
    exec: async () => void (await run('ssh', [...options, target, 'true'])),
    close: async () => {
      master.kill('SIGTERM');
      await ended;
    },
  };
};
