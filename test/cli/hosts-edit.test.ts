import { chmod, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { makeKey, startSshd } from '../support/sshd.ts';
import { type Person, person } from './person.ts';

const fileOf = (somebody: Person): string => join(somebody.home.path, '.config/sallyport/config.json');
const textOf = (somebody: Person): Promise<string> => readFile(fileOf(somebody), 'utf8');

const CONFIG = `{
  "hosts": {
    // the way in
    "gate": { "address": "192.0.2.1", "user": "jump", "auth": { "key": "~/.ssh/gate" } }, // never touch
    "web": { "address": "10.0.0.5", "user": "deploy", "via": "gate" }
  },
  "knownHosts": ["known"]
}
`;
const withConfig = async (text = CONFIG): Promise<Person> => {
  const somebody = await person();
  await somebody.home.write('.config/sallyport/config.json', text);
  return somebody;
};

describe('hosts add', () => {
  test('writes a first configuration, 0600, that doctor and list read', async () => {
    await using somebody = await person({ env: { SSH_AUTH_SOCK: '/run/agent' } });
    expect(await somebody.type('hosts', 'add', 'web=deploy@10.0.0.5')).toEqual({
      code: 0,
      stdout: `web: added to ${fileOf(somebody)}\n`,
      stderr: 'Next: sallyport hosts trust web\n',
    });
    expect((await stat(fileOf(somebody))).mode & 0o777).toBe(0o600);
    expect(await textOf(somebody)).toContain(
      '    "web": { "address": "10.0.0.5", "user": "deploy", "auth": { "agent": true } }\n',
    );
    expect((await somebody.type('hosts')).stdout).toContain('web   deploy@10.0.0.5:22  agent');
  });

  test('leaves every other byte as it is, and writes what the flags say', async () => {
    await using somebody = await withConfig();
    const { code, stderr } = await somebody.type(
      ...['hosts', 'add', 'db=deploy@[fd00::9]:2222', '--agent', '--key', '~/.ssh/a', '--key', 'b', '--via', 'gate'],
      ...['--tag', 'prod', '--tag', 'db', '--password-command', '--', 'pass', 'show', 'db'],
    );
    expect({ code, stderr }).toEqual({
      code: 0,
      stderr: `There is no ~/.ssh/a yet.\nThere is no ${somebody.home.path}/b yet.\nNext: sallyport hosts trust db\n`,
    });
    const line =
      `    "db": { "address": "fd00::9", "port": 2222, "user": "deploy", "auth": [{ "agent": true }, { "key": "~/.ssh/a" }, ` +
      `{ "key": "${somebody.home.path}/b" }, { "password": { "command": ["pass", "show", "db"] } }], "via": "gate", "tags": ["prod", "db"] }\n`;
    expect(await textOf(somebody)).toBe(CONFIG.replace('"via": "gate" }\n', `"via": "gate" },\n${line}`));
  });

  test('takes a whole entry', async () => {
    await using somebody = await withConfig();
    const entry = '{"address":"db.example.com","user":"me","transport":"openssh"}';
    const { code, stdout } = await somebody.type('hosts', 'add', 'db', '--entry', entry, '--json');
    expect({ code, data: JSON.parse(stdout) }).toEqual({
      code: 0,
      data: {
        file: fileOf(somebody),
        host: 'db',
        entry: { address: 'db.example.com', user: 'me', transport: 'openssh' },
        next: 'sallyport hosts trust db',
      },
    });
  });

  test.each([
    [
      'a name that is there',
      ['web=me@10.0.0.6'],
      'there is a host called web already; sallyport hosts show web shows it',
    ],
    ['no address', ['web'], 'hosts add "web" is not NAME=USER@ADDRESS[:PORT], like web=deploy@10.0.0.5:22'],
    ['a bad name', ['-x=me@10.0.0.6'], 'unknown flag "-x"'],
    ['a bad port', ['x=me@10.0.0.6:99999'], '/hosts/x/port must be at most 65535'],
    [
      'a way that leads nowhere',
      ['x=me@10.0.0.6', '--via', 'gat'],
      'the way there is no configured host: "gat"; did you mean "gate"?',
    ],
    ['a way to itself', ['x=me@10.0.0.6', '--via', 'x'], 'the way there is no configured host: "x"'],
    [
      'a command without words',
      ['x=me@10.0.0.6', '--password-command'],
      '--password-command and -- PROGRAM [WORD...] go together, as in --password-command -- pass show db',
    ],
    [
      'words without a command',
      ['x=me@10.0.0.6', '--', 'pass'],
      '--password-command and -- PROGRAM [WORD...] go together, as in --password-command -- pass show db',
    ],
    ['an entry and more', ['x', '--entry', '{}', '--via', 'gate'], '--entry says everything: leave out --via'],
    [
      'an entry that is none',
      ['x', '--entry', '["hunter2"]'],
      '--entry must be one JSON object, as config.json has it for a host',
    ],
  ])('refuses %s, and the file stays as it is', async (_what, words, why) => {
    await using somebody = await withConfig();
    const { code, stdout, stderr } = await somebody.type('hosts', 'add', ...words);
    expect({ code, stdout, said: stderr.startsWith(`sallyport: ${why}`) ? why : stderr }).toEqual({
      code: 2,
      stdout: '',
      said: why,
    });
    expect(await textOf(somebody)).toBe(CONFIG);
  });

  test('a secret that is written out is refused, and not shown', async () => {
    await using somebody = await withConfig();
    const entry = '{"address":"10.0.0.9","user":"me","auth":{"password":"hunter2"}}';
    const ran = await somebody.type('hosts', 'add', 'x', '--entry', entry);
    expect([ran.code, ran.stderr.includes('a secret is never written here'), ran.stderr.includes('hunter2')]).toEqual([
      2,
      true,
      false,
    ]);
    expect(await textOf(somebody)).toBe(CONFIG);
  });

  test('a file that is wrong already says so itself', async () => {
    await using somebody = await withConfig(CONFIG.replace('"jump"', '7'));
    const { code, stderr } = await somebody.type('hosts', 'add', 'x=me@10.0.0.6');
    expect([code, /:4:\d+ \/hosts\/gate\/user /.test(stderr)]).toEqual([3, true]);
  });

  test('a file that others may write is not touched', async () => {
    await using somebody = await withConfig();
    await chmod(fileOf(somebody), 0o666);
    expect((await somebody.type('hosts', 'add', 'x=me@10.0.0.6')).code).not.toBe(0);
    expect(await textOf(somebody)).toBe(CONFIG);
  });

  test('a named file must be there', async () => {
    await using somebody = await person();
    const ran = await somebody.type('hosts', 'add', 'x=me@10.0.0.6', '--config', 'nowhere.json');
    expect(ran).toEqual({
      code: 4,
      stdout: '',
      stderr: `sallyport: ${somebody.home.path}/nowhere.json does not exist.\n`,
    });
  });
});

describe('hosts remove and undo', () => {
  test('a host goes with its comments, and undo brings them back', async () => {
    await using somebody = await withConfig(CONFIG.replace(', "via": "gate"', ''));
    const before = await textOf(somebody);
    expect(await somebody.type('hosts', 'remove', 'gate')).toEqual({
      code: 0,
      stdout: `gate: removed from ${fileOf(somebody)}\n`,
      stderr: 'sallyport hosts undo brings it back.\n',
    });
    expect(await textOf(somebody)).toBe(
      '{\n  "hosts": {\n    "web": { "address": "10.0.0.5", "user": "deploy" }\n  },\n  "knownHosts": ["known"]\n}\n',
    );
    expect(await somebody.type('hosts', 'undo')).toEqual({
      code: 0,
      stdout: `undone: removed gate, in ${fileOf(somebody)}\n`,
      stderr: '',
    });
    expect(await textOf(somebody)).toBe(before);
    expect((await somebody.type('hosts', 'undo')).code).toBe(1);
  });

  test('one that others go through stays', async () => {
    await using somebody = await withConfig();
    expect(await somebody.type('hosts', 'remove', 'gate')).toEqual({
      code: 1,
      stdout: '',
      stderr: 'gate is the way to web: remove those first, or their "via".\n',
    });
    const json = await somebody.type('hosts', 'remove', 'gate', '--json');
    expect(JSON.parse(json.stdout)).toEqual({
      file: fileOf(somebody),
      host: 'gate',
      removed: false,
      needed_by: ['web'],
    });
    expect(await textOf(somebody)).toBe(CONFIG);
  });

  test('a name that is not there names the nearest', async () => {
    await using somebody = await withConfig();
    expect((await somebody.type('hosts', 'remove', 'wbe')).stderr).toContain(
      'no host is called "wbe"; did you mean "web"?',
    );
  });

  test('after an edit by hand nothing is undone', async () => {
    await using somebody = await withConfig();
    await somebody.type('hosts', 'remove', 'web');
    await writeFile(fileOf(somebody), `${await textOf(somebody)}\n`);
    const changed = await textOf(somebody);
    expect((await somebody.type('hosts', 'undo')).code).toBe(1);
    expect(await textOf(somebody)).toBe(changed);
  });

  test('what is kept to be brought back is for the owner alone', async () => {
    await using somebody = await withConfig();
    await somebody.type('hosts', 'remove', 'web');
    const kept = join(somebody.home.path, '.local/state/sallyport/undo');
    expect([(await stat(kept)).mode & 0o777, (await stat(join(kept, '00000001.json'))).mode & 0o777]).toEqual([
      0o700, 0o600,
    ]);
  });
});

describe('hosts show', () => {
  test('says each value and where it is said, and no secret', async () => {
    await using somebody = await withConfig(
      CONFIG.replace(
        '"via": "gate" }',
        '"via": "gate", "tags": ["prod"], "sudoPassword": { "env": "SUDO" }, "auth": [{ "agent": true }, { "key": "k", "passphrase": { "env": "PASS" } }, { "password": { "env": "PW" } }] }',
      ),
    );
    const { code, stdout } = await somebody.type('hosts', 'show', 'web');
    expect(code).toBe(0);
    expect(stdout.split('\n').map(line => line.replace(/ {2,}/g, '  '))).toEqual([
      'web: host key unknown',
      'SETTING  VALUE  FROM',
      'address  10.0.0.5  config.json',
      'port  22  default',
      'user  deploy  config.json',
      'transport  ssh2  default',
      'tags  prod  config.json',
      'login  agent (SSH_AUTH_SOCK is not set)  config.json',
      `login  key ${somebody.home.path}/.config/sallyport/k, with a passphrase  config.json`,
      'login  password, by reference  config.json',
      'sudo  a password, by reference  config.json',
      'via  gate (jump@192.0.2.1:22)  config.json',
      'Nothing connects to it yet: sallyport hosts trust web',
      '',
    ]);
  });

  test('says which keys are known, and on which line', async () => {
    await using somebody = await withConfig();
    const key = await makeKey(join(somebody.home.path, 'host'));
    const known = join(somebody.home.path, '.config/sallyport/known');
    await writeFile(known, `# mine\n10.0.0.5 ${key.publicKey.split(' ').slice(0, 2).join(' ')}\n`);
    const { stdout } = await somebody.type('hosts', 'show', 'web', '--json');
    expect(JSON.parse(stdout).key).toEqual({
      state: 'known',
      pins: [],
      known: [{ marker: 'host', type: 'ssh-ed25519', fingerprint: key.fingerprint, place: `${known}:2` }],
      files: [known],
    });
  });
});

describe('with hosts of ssh_config', () => {
  const withSsh = async (): Promise<Person> => {
    const somebody = await person();
    await somebody.home.write(
      'ssh_config',
      'Host inner\n  HostName 10.9.0.1\n  User deep\n  ProxyJump gate\n  ForwardX11 yes\nHost outer\n  HostName 10.9.0.2\n  User me\n',
    );
    await somebody.home.write(
      '.config/sallyport/config.json',
      `{ "sshConfig": "${somebody.home.path}/ssh_config",\n  "hosts": {\n    "gate": { "address": "192.0.2.1", "user": "jump" },\n    "outer": { "tags": ["x"] }\n  } }\n`,
    );
    return somebody;
  };

  test('show says what comes from there', async () => {
    await using somebody = await withSsh();
    const inner = JSON.parse((await somebody.type('hosts', 'show', 'inner', '--json')).stdout);
    expect([inner.via, inner.settings.find((each: { setting: string }) => each.setting === 'user')]).toEqual([
      { from: 'ssh_config', hops: [{ host: 'gate', account: 'jump@192.0.2.1:22' }] },
      { setting: 'user', value: 'deep', from: 'ssh_config' },
    ]);
    const outer = JSON.parse((await somebody.type('hosts', 'show', 'outer', '--json')).stdout);
    expect(outer.settings.map(({ setting, from }: { setting: string; from: string }) => `${setting} ${from}`)).toEqual(
      expect.arrayContaining(['address ssh_config', 'port default', 'user ssh_config', 'tags config.json']),
    );
  });

  test('one of it may be the way, is not removed here, and keeps what leads to it', async () => {
    await using somebody = await withSsh();
    expect((await somebody.type('hosts', 'add', 'x=me@10.0.0.9', '--agent', '--via', 'inner')).code).toBe(0);
    expect((await somebody.type('hosts', 'remove', 'inner')).stderr).toContain('it comes from ssh_config');
    expect((await somebody.type('hosts', 'remove', 'gate')).stderr).toContain(
      'gate is the way to inner: remove those first',
    );
    expect((await somebody.type('hosts', 'remove', 'outer')).code).toBe(0);
  });
});

test('the key of a host that an agent added is enrolled under a name of its own, and a person is told whose it is', async () => {
  const sshd = await startSshd();
  try {
    await using somebody = await person({ tty: true });
    const added = {
      ...{ address: '127.0.0.1', port: sshd.port, user: sshd.user, auth: { key: (await sshd.userKey()).path } },
      ...{ keyAlias: 'sallyport-added.staging-9', addedBy: 'ci' },
    };
    // The address is known, and the key is the very one.
    await somebody.home.write('.config/sallyport/known', await readFile(sshd.knownHosts, 'utf8'));
    const text = JSON.stringify({ hosts: { 'staging-9': added }, knownHosts: ['known'] });
    await somebody.home.write('.config/sallyport/config.json', text);
    expect((await somebody.type('hosts', 'test', 'staging-9')).code).toBe(1);
    const { code, stderr } = await somebody.answering('yes\n', 'hosts', 'trust', 'staging-9');
    expect(code).toBe(0);
    expect(stderr).toContain(
      'It was an agent, of the grant ci, that put staging-9 on the list, and chose the address.',
    );
    const known = await readFile(join(somebody.home.path, '.config/sallyport/known'), 'utf8');
    expect(known.split('\n').some(line => line.startsWith('sallyport-added.staging-9 ssh-ed25519 '))).toBe(true);
    expect((await somebody.type('hosts', 'test', 'staging-9')).code).toBe(0);
  } finally {
    await sshd.close();
  }
});

describe('what may be added is explained', () => {
  const document = {
    version: '1',
    default: 'allow',
    rules: [
      {
        id: 'manage',
        effect: 'allow',
        actions: ['configure'],
        hosts: ['staging-*'],
        addresses: ['10.20.0.0/16', '*.example.com'],
        tags: ['web'],
      },
      { id: 'not-there', effect: 'deny', actions: ['configure'], addresses: ['10.20.0.0/28'] },
    ],
  };
  const CONFIGURED = {
    'staging-1': { address: '10.20.0.20', user: 'deploy' },
    'staging-2': { address: '10.20.0.21', user: 'deploy', addedBy: 'local' },
    'staging-3': { address: '10.20.0.22', user: 'deploy', addedBy: 'ci' },
  };
  const author = async (): Promise<Person> => {
    const somebody = await withConfig(JSON.stringify({ hosts: CONFIGURED }));
    await somebody.home.write('.config/sallyport/policy.json', JSON.stringify(document));
    return somebody;
  };

  test.each([
    ['ssh_host_add name=staging-9 address=10.20.3.9 like=staging-1', 'allow', ['hit', 'no']],
    ['ssh_host_add name=staging-9 address=10.20.0.1 like=staging-1', 'deny', ['hit', 'hit']],
    ['ssh_host_add name=staging-9 address=a.example.com like=staging-1', 'ask', ['hit', 'possible']],
    ['ssh_host_add name=prod-9 address=10.20.3.9 like=staging-1', 'deny', ['no', 'no']],
    ['ssh_host_remove name=staging-1', 'deny', ['no', 'no']],
    ['ssh_host_remove name=staging-2', 'allow', ['hit', 'no']],
    ['ssh_host_remove name=staging-3', 'deny', ['no', 'no']],
  ])('%s: %s', async (call, decision, answers) => {
    await using somebody = await author();
    const { stdout } = await somebody.type('policy', 'explain', '--json', '--', ...call.split(' '));
    const said = JSON.parse(stdout);
    expect([said.decision, said.rules.map(({ answer }: { answer: string }) => answer)]).toEqual([decision, answers]);
  });

  test('policy can shows where, and with which tags', async () => {
    await using somebody = await author();
    const { stdout } = await somebody.type('policy', 'can', 'host=staging-1', '--json');
    expect(JSON.parse(stdout).actions.configure).toEqual([
      { rule: '/rules/manage', effect: 'allow', addresses: ['10.20.0.0/16', '*.example.com'], tags: ['web'] },
      { rule: '/rules/not-there', effect: 'deny', addresses: ['10.20.0.0/28'] },
    ]);
  });

  test('policy diff sees an address, a port and a tag more', async () => {
    await using somebody = await author();
    const [manage, deny] = document.rules;
    for (const more of [{ addresses: ['10.0.0.0/8'] }, { ports: [22, 2222] }, { tags: ['web', 'db'] }]) {
      await somebody.home.write('a.json', JSON.stringify(document));
      await somebody.home.write('b.json', JSON.stringify({ ...document, rules: [{ ...manage, ...more }, deny] }));
      const { code, stdout } = await somebody.type('policy', 'diff', 'a.json', 'b.json', '--json');
      expect({ code, widens: JSON.parse(stdout).widens }).toEqual({ code: 1, widens: true });
    }
  });
});

test('a replay judges again what was to be added and removed', async () => {
  await using somebody = await person();
  const rule = {
    id: 'manage',
    effect: 'allow',
    actions: ['configure'],
    hosts: ['staging-*'],
    addresses: ['10.20.0.0/16'],
  };
  const narrow = { ...rule, addresses: ['10.20.1.0/24'] };
  const documents = [rule, narrow].map(each => JSON.stringify({ version: '1', default: 'allow', rules: [each] }));
  const added = {
    kind: 'configure',
    change: 'add',
    host: 'staging-9',
    user: 'me',
    address: '10.20.3.9',
    port: 22,
    like: 'staging-1',
    tags: [],
  };
  const lines = [
    { event: 'admitted', tool: 'ssh_host_add', action: added },
    { event: 'admitted', tool: 'ssh_host_add', action: { ...added, address: '10.20.1.9' } },
    { event: 'admitted', tool: 'ssh_host_remove', action: { ...added, change: 'remove', like: undefined } },
  ];
  await somebody.home.write('a.json', documents[0] ?? '');
  await somebody.home.write('b.json', documents[1] ?? '');
  await somebody.home.write('audit.jsonl', lines.map(line => JSON.stringify(line)).join('\n'));
  const { stdout } = await somebody.type('policy', 'diff', 'a.json', 'b.json', '--replay', 'audit.jsonl', '--json');
  const { replayed, changes } = JSON.parse(stdout);
  const seen = changes.filter(({ args }: { args?: { like?: string } }) => args?.like === 'staging-1');
  expect({
    replayed,
    seen: seen.map(({ change, args }: { change: string; args: object }) => ({ change, args })),
  }).toEqual({
    replayed: 3,
    seen: [
      { change: 'narrowed', args: { name: 'staging-9', address: '10.20.3.9', port: 22, like: 'staging-1', tags: [] } },
    ],
  });
});
