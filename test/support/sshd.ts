import { execFile, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { access, appendFile, chmod, mkdir, readFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import type { Host, Login } from '../../src/ssh/host.ts';
import { tempFolder } from './temp.ts';

const run = promisify(execFile);
const SSHD = process.env.SALLYPORT_SSHD ?? '/usr/sbin/sshd';

export type KeyKind = 'ed25519' | 'ed25519-locked' | 'rsa' | 'ecdsa';

/** A key pair on disk; `passphrase` is what unlocks it, when it is locked. */
export type KeyPair = {
  readonly path: string;
  /** `type base64`, without a comment. */
  readonly publicKey: string;
  readonly fingerprint: string;
  readonly passphrase?: string;
};

export type SshdOptions = {
  /** A free port unless given: give one to start another server in the place of a closed one. */
  readonly port?: number;
  /** The types of host keys that it presents; ed25519 unless given. */
  readonly hostKeys?: readonly ('ed25519' | 'rsa' | 'ecdsa')[];
  readonly maxSessions?: number;
  /** Further lines for sshd_config, put first: sshd obeys the first of two that differ. */
  readonly config?: readonly string[];
  /** A program that starts the server somewhere else, and the address of that place, where it listens then beside loopback. */
  readonly elsewhere?: { readonly within: readonly string[]; readonly address: string };
  /** The login shell and the home that an account, the user's own unless named, has for this server alone; only where `mayChooseAccount`. */
  readonly account?: { readonly name?: string; readonly shell: string; readonly home: string };
};

/** A real OpenSSH server on loopback, in a folder of its own, logging in the user who runs the tests. */
export type Sshd = AsyncDisposable & {
  readonly port: number;
  readonly user: string;
  readonly pid: number;
  readonly folder: string;
  readonly hostKeys: readonly KeyPair[];
  /** The path of a known_hosts file with every host key of it under `[127.0.0.1]:port`. */
  readonly knownHosts: string;
  /** A key that may log in; the same one each time for a kind. */
  readonly userKey: (kind?: KeyKind) => Promise<KeyPair>;
  /** This server as a configured host that logs in with the plain ed25519 key and has no pin. */
  readonly host: (overrides?: Partial<Host>) => Promise<Host>;
  readonly log: () => string;
  /** Resolves with the log's line as soon as `pattern` is found for the `times`-th time. */
  readonly waitForLog: (pattern: RegExp, times?: number) => Promise<string>;
  /** TCP connections, logins that succeeded, and sessions (execs) so far, counted in the log. */
  readonly counts: () => { readonly connections: number; readonly logins: number; readonly sessions: number };
  /** Resolves when the log has caught up with all that happened before: a connection of our own is in it. */
  readonly caughtUp: () => Promise<void>;
  /** Kills the processes that serve connections, not the listener: what a crash of the session looks like; or stops them for good. */
  readonly killConnections: (signal?: 'SIGKILL' | 'SIGSTOP') => Promise<number>;
  /** Ends the listener and everything under it, and starts it anew with the same keys; its log begins anew too. */
  readonly restart: () => Promise<void>;
  /** Ends the listener and everything under it, and removes the folder. */
  readonly close: () => Promise<void>;
};

/** Starts one; ready to accept when this resolves. Throws, saying how to install it, when there is no sshd. */
export const startSshd = async (options: SshdOptions = {}): Promise<Sshd> => {
  const temp = await tempFolder('sallyport-sshd-');
  const user = userInfo().username;
  const port = options.port ?? (await freePort());
  const hostKeys = await Promise.all(
    (options.hostKeys ?? ['ed25519']).map(kind => makeKey(join(temp.path, `host_${kind}`), kind)),
  );
  const config = await temp.write('sshd_config', sshdConfig({ ...options, port, folder: temp.path, hostKeys }));
  await temp.write('authorized_keys', '');
  const knownHosts = await temp.write(
    'known_hosts',
    hostKeys.map(key => `[127.0.0.1]:${port} ${key.publicKey}\n`).join(''),
  );
  if (process.getuid?.() === 0) await mkdir('/run/sshd', { recursive: true, mode: 0o755 });
  const account =
    options.account === undefined
      ? []
      : withPasswd(await temp.write('passwd', await passwdOf(user, options.account), 0o644));
  const begin = async () =>
    await listen([...(options.elsewhere?.within ?? []), ...account, SSHD, '-D', '-e', '-f', config]);
  let server = await begin();
  let looks = 0;
  const userKey = keyRing(temp.path);
  const close = async () => {
    await server.end();
    await temp.remove();
  };
  return {
    port,
    user,
    get pid() {
      return server.pid;
    },
    folder: temp.path,
    hostKeys,
    knownHosts,
    userKey,
    host: async overrides => {
      const auth: Login = { kind: 'key', path: (await userKey()).path };
      return { name: 'web', address: '127.0.0.1', port, user, auth: [auth], hostKeys: [], tags: [], ...overrides };
    },
    log: () => server.log(),
    waitForLog: async (pattern, times) => await server.waitForLog(pattern, times),
    restart: async () => {
      await server.end();
      server = await begin();
      looks = 0;
    },
    caughtUp: async () => {
      const own = await ownConnection(port);
      looks += 1;
      await server.waitForLog(new RegExp(`Connection from 127\\.0\\.0\\.1 port ${own.port} `));
      own.close();
    },
    counts: () => ({
      connections: countOf(server.log(), /^Connection from /gm) - looks,
      logins: countOf(server.log(), /^Accepted \S+ for /gm),
      sessions: countOf(server.log(), /^Starting session: /gm),
    }),
    killConnections: async signal => {
      const pids = await treeOf(server.pid, command => command.startsWith('sshd'));
      for (const pid of pids) kill(pid, signal);
      return pids.length;
    },
    close,
    [Symbol.asyncDispose]: close,
  };
};

/** A connection that says nothing, and the port that the server knows it by. */
const ownConnection = (port: number): Promise<{ readonly port: number; readonly close: () => void }> =>
  new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port }, () =>
      resolve({ port: socket.localPort ?? 0, close: () => void socket.destroy() }),
    );
    socket.on('error', reject);
  });

const sshdConfig = (
  options: Omit<SshdOptions, 'hostKeys'> & { port: number; folder: string; hostKeys: readonly KeyPair[] },
): string =>
  [
    ...(options.config ?? []),
    `Port ${options.port}`,
    'ListenAddress 127.0.0.1',
    ...(options.elsewhere === undefined ? [] : [`ListenAddress ${options.elsewhere.address}`]),
    ...options.hostKeys.map(key => `HostKey ${key.path}`),
    `AuthorizedKeysFile ${join(options.folder, 'authorized_keys')}`,
    `MaxSessions ${options.maxSessions ?? 10}`,
    'MaxStartups 200',
    'PidFile none',
    'UsePAM no',
    'StrictModes no',
    'PermitRootLogin yes',
    'PasswordAuthentication no',
    'KbdInteractiveAuthentication no',
    'UseDNS no',
    'PrintMotd no',
    'PrintLastLog no',
    'LogLevel VERBOSE',
    ...(options.config?.some(line => line.startsWith('Subsystem ')) ? [] : ['Subsystem sftp internal-sftp']),
    // bash reads .bashrc under sshd only on its first level: what stands in the user's must not slow or change a test.
    'SetEnv SHLVL=1',
    '',
  ].join('\n');

/** Runs a server until its own stdin ends, so that none outlives a test run that was killed; prints the server's id first. */
const WATCHER = '"$@" & server=$!; echo $server; read -r _; kill $server; wait $server';

/** Runs a program that sees another file in the place of /etc/passwd, in a mount namespace that ends with it. */
const withPasswd = (file: string): readonly string[] => [
  ...['unshare', '-m', 'sh', '-c', 'mount --bind "$0" /etc/passwd && exec "$@"', file],
];

/** Whether this machine lets the tests give an account another login shell: it takes root and mount namespaces. */
export const mayChooseAccount = (): boolean => {
  const [file = '', ...args] = [...withPasswd('/etc/passwd'), 'true'];
  return spawnSync(file, args).status === 0;
};

const passwdOf = async (
  user: string,
  { name = user, shell, home }: NonNullable<SshdOptions['account']>,
): Promise<string> => {
  const passwd = await readFile('/etc/passwd', 'utf8');
  return passwd.replace(
    new RegExp(`^(${name}:.*):[^:]*:[^:]*$`, 'm'),
    (_line, rest: string) => `${rest}:${home}:${shell}`,
  );
};

/** Spawns the listener and waits until it says that it listens. */
const listen = async (listener: readonly string[]) => {
  await access(SSHD).catch(error => {
    throw new Error(missing(error));
  });
  const child = spawn('sh', ['-c', WATCHER, 'sshd', ...listener], { stdio: 'pipe' });
  const waiters = new Set<() => void>();
  let text = '';
  let over: string | undefined;
  const finish = (why: string) => {
    over ??= why;
    for (const waiter of waiters) waiter();
  };
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (chunk: string) => {
    text += chunk.replaceAll('\r\n', '\n');
    for (const waiter of waiters) waiter();
  });
  child.on('error', error => finish(missing(error)));
  child.on('exit', code => finish(`sshd ended with status ${code}`));
  const waitForLog = (pattern: RegExp, times = 1) =>
    new Promise<string>((resolve, reject) => {
      const look = () => {
        const line = [...text.matchAll(new RegExp(`^.*?${pattern.source}.*$`, 'gm'))].at(times - 1)?.[0];
        if (line === undefined && over === undefined) return;
        waiters.delete(look);
        if (line !== undefined) resolve(line);
        else reject(new Error(`${over}; it never logged ${pattern}:\n${text}`));
      };
      waiters.add(look);
      look();
    });
  const [[line]] = await Promise.all([once(child.stdout, 'data'), waitForLog(/Server listening on/)]);
  const pid = Number(line);
  const end = async () => {
    const ended = over === undefined ? once(child, 'exit') : undefined;
    const tree = await treeOf(pid);
    child.stdin.end();
    for (const member of tree) kill(member);
    await ended;
  };
  return { pid, log: () => text, waitForLog, end };
};

const missing = (error: Error): string =>
  `${SSHD} cannot be started (${error.message}); install it: apt-get install openssh-server, dnf install openssh-server, apk add openssh-server`;

/** Makes each kind of key once and lets it log in. */
const keyRing = (folder: string): Sshd['userKey'] => {
  const keys = new Map<KeyKind, Promise<KeyPair>>();
  const make = async (kind: KeyKind): Promise<KeyPair> => {
    const key = await makeKey(join(folder, `user_${kind}`), kind);
    await appendFile(join(folder, 'authorized_keys'), `${key.publicKey}\n`);
    return key;
  };
  return (kind = 'ed25519') => {
    const key = keys.get(kind) ?? make(kind);
    keys.set(kind, key);
    return key;
  };
};

/** A new key pair at `path`, made by ssh-keygen; the locked kind has the passphrase `open sesame`. */
export const makeKey = async (path: string, kind: KeyKind = 'ed25519'): Promise<KeyPair> => {
  const locked = kind === 'ed25519-locked';
  const passphrase = locked ? 'open sesame' : '';
  const type = locked ? 'ed25519' : kind;
  const size = kind === 'rsa' ? ['-b', '2048'] : [];
  await run('ssh-keygen', ['-q', '-t', type, ...size, '-N', passphrase, '-C', '', '-f', path]);
  await chmod(path, 0o600);
  const publicKey = (await readFile(`${path}.pub`, 'utf8')).trim().split(' ').slice(0, 2).join(' ');
  const shown = await run('ssh-keygen', ['-l', '-f', `${path}.pub`]);
  const fingerprint = shown.stdout.split(' ')[1] ?? '';
  return { path, publicKey, fingerprint, ...(locked ? { passphrase } : {}) };
};

/** A port that nobody listens on now. */
export const freePort = (): Promise<number> =>
  new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() => {
        if (typeof address === 'object' && address !== null) resolve(address.port);
        else reject(new Error('no port'));
      });
    });
  });

/** Everything under a process, from one look at the process table: all of it, or what runs certain programs. */
const treeOf = async (root: number, wanted: (command: string) => boolean = () => true): Promise<number[]> => {
  const { stdout } = await run('ps', ['-A', '-o', 'pid=,ppid=,comm=']);
  const all = stdout
    .trim()
    .split('\n')
    .map(line => line.trim().split(/\s+/))
    .map(([pid, parent, command = '']) => ({ pid: Number(pid), parent: Number(parent), command }));
  const tree = [{ pid: root, command: '' }];
  for (const { pid } of tree) tree.push(...all.filter(({ parent }) => parent === pid));
  return tree
    .slice(1)
    .filter(({ command }) => wanted(command))
    .map(({ pid }) => pid);
};

/** A signal to one process by its id; it may have ended by itself. */
const kill = (pid: number, signal: NodeJS.Signals = 'SIGKILL'): void => {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'ESRCH')) throw error;
  }
};

const countOf = (text: string, pattern: RegExp): number => text.match(pattern)?.length ?? 0;
