import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { ALLOW_ALL, home, hostEntry, raw, structured } from '../support/home.ts';
import { freePort, type Sshd } from '../support/sshd.ts';
import { type Figures, inTurn } from './figures.ts';

const run = promisify(execFile);

/** Ours and OpenSSH's times for the same work through a local tunnel, and without any. */
export type Beside = Readonly<Record<'ours' | 'ssh' | 'none', Figures>>;

const CIPHER = 'aes128-gcm@openssh.com';
const PIECE = 65_536;

/** Says its port, and does with each connection what its first byte asks for: takes all (`u`), gives so much (`d`), or is there (`o`). */
const SERVICE = `
  const piece = Buffer.alloc(${PIECE}, 7);
  require('node:net').createServer({ allowHalfOpen: true, noDelay: true }, socket => socket.on('error', () => {}).once('data', first => {
    if (first[0] === 0x6f) return socket.end('k');
    if (first[0] === 0x75) return socket.resume().on('end', () => socket.end('k'));
    let left = Number(String(first).slice(1));
    const give = () => { while (left > 0) { left -= piece.length; if (!socket.write(piece)) return socket.once('drain', give); } socket.end(); };
    give();
  })).listen(0, '127.0.0.1', function () { console.log(this.address().port); });`;

/** Does what each line asks for, \`port way bytes times\`, and says when it is done. */
const CLIENT = `
  const piece = Buffer.alloc(${PIECE}, 7);
  const one = (port, way, bytes) => new Promise((resolve, reject) => {
    let came = 0;
    const socket = require('node:net').connect({ port, host: '127.0.0.1', allowHalfOpen: true, noDelay: true });
    socket.on('error', reject).on('data', chunk => { came += chunk.length; }).on('end', () => {
      socket.end();
      came === (way === 'd' ? bytes : 1) ? resolve() : reject(new Error(came + ' bytes came'));
    });
    if (way !== 'u') return socket.write(way === 'o' ? 'o' : 'd' + bytes);
    let left = bytes;
    const give = () => { while (left > 0) { left -= piece.length; if (!socket.write(piece)) return socket.once('drain', give); } socket.end(); };
    socket.write('u');
    give();
  });
  require('node:readline').createInterface({ input: process.stdin }).on('line', async line => {
    const [port, way, bytes, times] = line.split(' ');
    for (let at = 0; at < Number(times); at += 1) await one(Number(port), way, Number(bytes));
    console.log('done');
  });`;

/** A process that says lines, and may be told some. */
type Child = AsyncDisposable & { readonly say: (line: string) => void; readonly line: () => Promise<string> };

const child = (program: string, args: readonly string[]): Child => {
  const started = spawn(program, args, { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(started, 'exit');
  return {
    say: line => void started.stdin.write(`${line}\n`),
    line: async () => String((await once(started.stdout, 'data'))[0]).trim(),
    [Symbol.asyncDispose]: async () => {
      started.kill('SIGTERM');
      await ended;
    },
  };
};

/** A local tunnel of OpenSSH to a port of the host, by the cipher that ours has. */
const sshTunnel = async (sshd: Sshd, folder: string, to: string): Promise<Child & { readonly port: number }> => {
  const [port, socket] = [await freePort(), join(folder, 'forward')];
  const key = (await sshd.userKey()).path;
  const ssh = child('ssh', [
    ...['-F', '/dev/null', '-M', '-S', socket, '-N', '-L', `127.0.0.1:${port}:127.0.0.1:${to}`, '-c', CIPHER],
    ...['-o', `UserKnownHostsFile=${sshd.knownHosts}`, '-o', 'IdentitiesOnly=yes', '-i', key],
    ...['-o', 'ExitOnForwardFailure=yes', '-p', String(sshd.port), `${sshd.user}@127.0.0.1`],
  ]);
  while (!existsSync(socket)) await run('sleep', ['0.05']);
  return { ...ssh, port };
};

type Work = { readonly bytes: number; readonly opens: number; readonly rounds: number };

/** So many bytes each way, and so many connections one after the other, through tunnels to one service; each end is a process of its own. */
export const throughTunnels = async (
  sshd: Sshd,
  { bytes, opens, rounds }: Work,
): Promise<Readonly<Record<'up' | 'down' | 'open', Beside>>> => {
  await using service = child(process.execPath, ['-e', SERVICE]);
  const none = await service.line();
  await using client = child(process.execPath, ['-e', CLIENT]);
  await using place = await home({ web: await hostEntry(sshd) }, ALLOW_ALL, { knownHosts: [sshd.knownHosts] });
  await using server = raw(place);
  const asked = { host: 'web', direction: 'local', to_host: '127.0.0.1', to_port: Number(none) };
  const { listen_port: ours } = structured(await server.call('ssh_tunnel_start', asked));
  await using ssh = await sshTunnel(sshd, place.path, none);
  const beside = async (way: 'u' | 'd' | 'o', times: number): Promise<Beside> => {
    const through = (port: unknown) => async (): Promise<void> => {
      client.say(`${port} ${way} ${bytes} ${times}`);
      if ((await client.line()) !== 'done') throw new Error('the client does not say that it is done');
    };
    const contenders = { ours: through(ours), ssh: through(ssh.port), none: through(none) };
    await inTurn(contenders, 1);
    const { ours: mine, ssh: theirs, none: bare } = await inTurn(contenders, rounds);
    if (mine === undefined || theirs === undefined || bare === undefined) throw new Error('a contender is missing');
    return { ours: mine, ssh: theirs, none: bare };
  };
  return { up: await beside('u', 1), down: await beside('d', 1), open: await beside('o', opens) };
};
