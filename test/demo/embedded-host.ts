import { spawn } from 'node:child_process';
import { connect } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import ssh2 from 'ssh2';
import { tempFolder } from '../support/temp.ts';
import type { Target } from './target.ts';

/** An SFTP server of our own, which serves the files of this machine. */
const SFTP = join(process.env.SALLYPORT_ROOT ?? process.cwd(), 'test', 'support', 'rude-sftp.mjs');

/** An SSH host without OpenSSH: ssh2's server, whose commands run under this machine's /bin/sh. */
export const startEmbedded = async (): Promise<Target> => {
  const folder = await tempFolder('sallyport-demo-host-');
  const hostKey = ssh2.utils.generateKeyPairSync('ed25519');
  const userKey = ssh2.utils.generateKeyPairSync('ed25519');
  let arrived = 0;
  const server = new ssh2.Server({ hostKeys: [hostKey.private] }, client => {
    client.on('error', () => undefined);
    client.on('authentication', context => {
      const known = context.method === 'publickey' && userKey.public.includes(context.key.data.toString('base64'));
      if (known) context.accept();
      else context.reject(['publickey']);
    });
    client.on('session', accept => {
      const session = accept();
      session.on('exec', (take, _reject, { command }) => {
        arrived += 1;
        serve(take(), ['/bin/sh', '-c', command]);
      });
      session.on('subsystem', (take, refuse, { name }) => {
        arrived += 1;
        if (name === 'sftp') serve(take(), [process.execPath, SFTP]);
        else refuse();
      });
    });
    client.on('tcpip', (take, refuse, { destIP, destPort }) => {
      const socket = connect({ host: destIP, port: destPort });
      socket.on('error', () => undefined);
      socket.once('connect', () => {
        const channel = take();
        channel.on('error', () => undefined);
        channel.pipe(socket).pipe(channel);
      });
      socket.once('error', refuse);
    });
  });
  const port = await new Promise<number>((resolve, reject) => {
    server.listen(0, '127.0.0.1', () => {
      const address: unknown = server.address();
      if (typeof address === 'object' && address !== null && 'port' in address) resolve(Number(address.port));
      else reject(new Error('no port'));
    });
  });
  const keyPath = await folder.write('user_key', userKey.private);
  const knownHosts = await folder.write('known_hosts', `[127.0.0.1]:${port} ${hostKey.public}\n`);
  return {
    what: 'an embedded SSH server, for want of OpenSSH',
    port,
    user: userInfo().username,
    keyPath,
    knownHosts,
    arrived: () => arrived,
    [Symbol.asyncDispose]: async () => {
      server.close();
      await folder.remove();
    },
  };
};

/** As sshd does: the login shell in a session of its own, its streams and its end. */
const serve = (channel: ssh2.ServerChannel, [program = '', ...args]: readonly string[]): void => {
  const child = spawn(program, args, { detached: true, env: { ...process.env, SHELL: '/bin/sh' } });
  child.stdin.on('error', () => undefined);
  channel.on('error', () => undefined);
  channel.pipe(child.stdin);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on('close', (code, signal) => {
    if (signal === null) channel.exit(code ?? 255);
    else channel.exit(signal.replace(/^SIG/, ''));
    channel.end();
  });
};
