import { execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Client } from 'ssh2';
import { ALLOW_ALL, home, hostEntry, raw, structured } from '../support/home.ts';
import type { Sshd } from '../support/sshd.ts';
import { type Figures, inTurn, timed } from './figures.ts';

const run = promisify(execFile);

const names = (count: number): readonly string[] => Array.from({ length: count }, (_none, at) => `web-${at}`);

const homeWith = async (sshd: Sshd, hosts: readonly string[]) => {
  const entry = await hostEntry(sshd);
  return await home(Object.fromEntries(hosts.map(name => [name, entry])), ALLOW_ALL, { knownHosts: [sshd.knownHosts] });
};

/** Connecting, logging in and running `true`, from nothing, on an sshd that nobody is connected to. */
export const coldExec = async (sshd: Sshd, rounds: number): Promise<Readonly<Record<string, Figures>>> => {
  const hosts = names(rounds + 1);
  await using place = await homeWith(sshd, hosts);
  await using server = raw(place);
  const rest = [...hosts];
  const ours = async (): Promise<void> => {
    const result = structured(await server.call('ssh_exec', { host: rest.pop(), command: 'true' }));
    if (result.exit_code !== 0) throw new Error(JSON.stringify(result));
  };
  const privateKey = await readFile((await sshd.userKey()).path);
  const bare = (): Promise<void> => throughSsh2(sshd, privateKey);
  const options = await optionsFor(sshd);
  const ssh = async (): Promise<void> => void (await run('ssh', [...options, `${sshd.user}@127.0.0.1`, 'true']));
  await inTurn({ ours, bare, ssh }, 1);
  return await inTurn({ ours, bare, ssh }, rounds);
};

/** As most do it: ssh2's own socket, its defaults, and any host key. */
const throughSsh2 = (sshd: Sshd, privateKey: Buffer): Promise<void> =>
  new Promise((resolve, reject) => {
    const client = new Client();
    client.on('error', reject).on('close', () => resolve());
    client.on('ready', () =>
      client.exec('true', (error, channel) => {
        if (error) return reject(error);
        channel.on('close', () => client.end()).resume();
        channel.stderr.resume();
      }),
    );
    client.connect({ sock: connect({ host: '127.0.0.1', port: sshd.port }), username: sshd.user, privateKey });
  });

const optionsFor = async (sshd: Sshd): Promise<readonly string[]> => [
  ...['-F', '/dev/null', '-o', `UserKnownHostsFile=${sshd.knownHosts}`, '-o', 'IdentitiesOnly=yes'],
  ...['-i', (await sshd.userKey()).path, '-p', String(sshd.port)],
];

/** `true` on so many hosts in one go, every connection warm: one call of ours, `xargs -P` over OpenSSH's masters, ansible's ad-hoc mode. */
export const fanOut = async (sshd: Sshd, count: number, rounds: number): Promise<Readonly<Record<string, Figures>>> => {
  const hosts = names(count);
  await using place = await homeWith(sshd, hosts);
  await using server = raw(place);
  const ours = async (): Promise<void> => {
    const { results } = structured(await server.call('ssh_exec', { hosts, command: 'true' }));
    if (!Array.isArray(results) || results.length !== count) throw new Error(JSON.stringify(results));
  };
  const masters = await openMasters(sshd, hosts, place.path);
  const ansible = await ansibleOn(sshd, hosts, place.path);
  const contenders: Record<string, () => Promise<unknown>> = {
    ...{ ours, xargs: masters.xargs },
    ...(ansible === undefined ? {} : { ansible }),
  };
  try {
    for (const work of Object.values(contenders)) await timed(work);
    return await inTurn(contenders, rounds);
  } finally {
    await masters.close();
  }
};

/** A ControlMaster for each host, and a client of it for each command, ten at a time. */
const openMasters = async (sshd: Sshd, hosts: readonly string[], folder: string) => {
  const options = [...(await optionsFor(sshd)), '-S', join(folder, 'mux-%n'), '-o', 'HostName=127.0.0.1'];
  const alias = ['-o', `HostKeyAlias=[127.0.0.1]:${sshd.port}`, '-l', sshd.user];
  const masters = hosts.map(host =>
    spawn('ssh', [...options, ...alias, '-M', '-N', host], { stdio: ['ignore', 'ignore', 'inherit'] }),
  );
  const ended = masters.map(master => new Promise(resolve => master.once('exit', resolve)));
  await Promise.all(
    hosts.map(async host => {
      while (!existsSync(join(folder, `mux-${host}`))) await run('sleep', ['0.05']);
    }),
  );
  const xargs = async (): Promise<void> => {
    const child = spawn('xargs', ['-P', '10', '-I', '{}', 'ssh', ...options, ...alias, '{}', 'true'], {
      stdio: ['pipe', 'ignore', 'inherit'],
    });
    child.stdin.end(hosts.join('\n'));
    const code = await new Promise(resolve => child.once('exit', resolve));
    if (code !== 0) throw new Error(`xargs exited ${String(code)}`);
  };
  const close = async (): Promise<void> => {
    for (const master of masters) master.kill('SIGTERM');
    await Promise.all(ended);
  };
  return { xargs, close };
};

/** Undefined where it is not installed. */
const ansibleOn = async (sshd: Sshd, hosts: readonly string[], folder: string) => {
  if (!existsSync('/usr/bin/ansible')) return undefined;
  const inventory = join(folder, 'inventory');
  const options = `-o UserKnownHostsFile=${sshd.knownHosts} -o ControlMaster=auto -o ControlPersist=60s -o ControlPath=${join(folder, 'ans-%n')} -o HostKeyAlias=[127.0.0.1]:${sshd.port} -o HostName=127.0.0.1`;
  const shared = `ansible_port=${sshd.port} ansible_user=${sshd.user} ansible_ssh_private_key_file=${(await sshd.userKey()).path} ansible_ssh_args='${options}'`;
  await writeFile(inventory, hosts.map(host => `${host} ${shared}\n`).join(''));
  const env = { ...process.env, HOME: folder, ANSIBLE_LOCAL_TEMP: join(folder, 'ansible') };
  return async (): Promise<void> =>
    void (await run('/usr/bin/ansible', ['all', '-i', inventory, '-f', '10', '-m', 'raw', '-a', 'true'], { env }));
};
