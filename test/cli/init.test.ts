import { mkdir, readFile, stat, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { compile } from '../../src/policy/compile.ts';
import { lint } from '../../src/policy/lint.ts';
import { type Person, person } from './person.ts';

const at = (somebody: Person, name: string): string => join(somebody.home.path, '.config', 'sallyport', name);
const mode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test('on an empty home it writes both files for their owner alone, and says what comes next', async () => {
  await using somebody = await person();
  const { code, stderr } = await somebody.type('init', '--host', 'web=deploy@10.0.0.5');
  expect(code).toBe(0);
  expect(await Promise.all(['config.json', 'policy.json', ''].map(name => mode(at(somebody, name))))).toEqual([
    '600',
    '600',
    '700',
  ]);
  expect(await readFile(at(somebody, 'config.json'), 'utf8')).toBe(`{
  // Hosts by the names that agents use. A secret is never written here, only where it lies:
  // {"env": "NAME"}, {"command": ["pass", "show", "x"]} or {"file": "~/path"}.
  "hosts": {
    "web": { "address": "10.0.0.5", "user": "deploy", "auth": [{ "agent": true }] }
  }
}
`);
  expect(stderr).toContain(`${at(somebody, 'config.json')} written\n${at(somebody, 'policy.json')} written\n`);
  expect(stderr).toContain(
    'Next:\n  1. sallyport hosts trust web\n  2. sallyport doctor\n  3. register the server with your client, as shown above\n',
  );
});

test('beside the first policy lies the schema that it names, and neither is written over', async () => {
  await using somebody = await person();
  await somebody.type('init');
  const { $schema } = JSON.parse(await readFile(at(somebody, 'policy.json'), 'utf8'));
  expect($schema).toBe('./policy.schema.json');
  expect(await readFile(at(somebody, $schema), 'utf8')).toBe((await somebody.type('policy', 'schema')).stdout);
  expect(await mode(at(somebody, $schema))).toBe('600');
  await writeFile(at(somebody, $schema), '{}');
  await somebody.type('init');
  await somebody.type('policy', 'init');
  expect(await readFile(at(somebody, $schema), 'utf8')).toBe('{}');
});

test('what it writes is understood by every other command', async () => {
  await using somebody = await person();
  await somebody.type('init', '--host', 'web=deploy@10.0.0.5', '--host', 'db=root@[2001:db8::1]:2222');
  const hosts = JSON.parse((await somebody.type('hosts', '--json')).stdout);
  expect(hosts.hosts).toEqual([
    { name: 'web', user: 'deploy', address: '10.0.0.5', port: 22, tags: [], auth: ['agent'], key: 'unknown' },
    { name: 'db', user: 'root', address: '2001:db8::1', port: 2222, tags: [], auth: ['agent'], key: 'unknown' },
  ]);
  const policy = await somebody.type('policy', 'validate');
  expect(policy.stdout).toMatch(/^\/.*policy\.json: valid, sha256:[0-9a-f]{64}\n$/);
});

test('the first policy lets an agent look, and nothing else', async () => {
  await using somebody = await person();
  await somebody.type('init');
  const text = await readFile(at(somebody, 'policy.json'), 'utf8');
  expect(compile(text, 'policy.json').rulesOf('ssh_session_start').visible).toBe(false);
  expect(lint(text, 'policy.json')).toEqual([]);
  const decisions = await Promise.all(
    [
      ['ssh_list_hosts'],
      ['ssh_exec', 'host=web', 'command=uptime'],
      ['ssh_exec', 'host=web', 'argv=["uptime"]'],
      ['ssh_exec', 'host=web', 'command=ps aux | grep nginx | head -n 3'],
      ['ssh_exec', 'host=web', 'command=uptime; reboot'],
      ['ssh_exec', 'host=web', 'command=uptime > /tmp/x'],
      ['ssh_exec', 'host=web', 'command=cat /etc/shadow'],
      ['ssh_exec', 'host=web', 'command=uptime', 'cwd=/tmp'],
      ['ssh_exec', 'host=web', 'command=uptime', 'env={"LD_PRELOAD":"/tmp/x"}'],
      ['ssh_session_start', 'host=web'],
    ].map(async call => (await somebody.type('policy', 'explain', '--json', '--', ...call)).stdout),
  );
  expect(decisions.map(text => [JSON.parse(text).decision, JSON.parse(text).rule])).toEqual([
    ['allow', '/tools/ssh_list_hosts'],
    ['allow', '/rules/look'],
    ['allow', '/rules/look'],
    ['allow', '/rules/look'],
    ['deny', '(no rule)'],
    ['deny', '(no rule)'],
    ['deny', '(no rule)'],
    ['deny', '(no rule)'],
    ['deny', '(no rule)'],
    ['deny', '(default deny)'],
  ]);
});

test('a second time it changes nothing, says so, and shows the lines to add', async () => {
  await using somebody = await person();
  await somebody.type('init');
  await writeFile(at(somebody, 'config.json'), '{"hosts": {}}');
  const before = await readFile(at(somebody, 'policy.json'), 'utf8');
  const { code, stdout, stderr } = await somebody.type('init', '--host', 'web=deploy@10.0.0.5', '--client', 'codex');
  expect(code).toBe(0);
  expect(await readFile(at(somebody, 'config.json'), 'utf8')).toBe('{"hosts": {}}');
  expect(await readFile(at(somebody, 'policy.json'), 'utf8')).toBe(before);
  expect(stderr).toContain(`${at(somebody, 'config.json')} exists, and stays as it is\n`);
  expect(stderr).toContain('Next:\n  1. put the lines above into ');
  expect(stdout).toBe(
    '"web": { "address": "10.0.0.5", "user": "deploy", "auth": [{ "agent": true }] }\n' +
      'codex mcp add sallyport -- /usr/bin/node /opt/sallyport/dist/sallyport.js serve\n',
  );
});

test('a dangling link counts as something that is there', async () => {
  await using somebody = await person();
  await mkdir(at(somebody, ''), { recursive: true });
  await symlink('/nowhere/policy.json', at(somebody, 'policy.json'));
  const { stderr } = await somebody.type('init');
  expect(stderr).toContain(`${at(somebody, 'policy.json')} exists, and stays as it is`);
});

test('--print shows everything and writes nothing', async () => {
  await using somebody = await person();
  const { code, stdout, stderr } = await somebody.type('init', '--print', '--client', 'cursor');
  expect(code).toBe(0);
  await expect(stat(at(somebody, ''))).rejects.toThrow('ENOENT');
  expect(stdout).toContain('"default": "deny"');
  expect(stdout).toContain('"hosts": {');
  expect(stdout.slice(stdout.lastIndexOf('\n{\n  "mcpServers"') + 1)).toBe(`{
  "mcpServers": {
    "sallyport": {
      "command": "/usr/bin/node",
      "args": [
        "/opt/sallyport/dist/sallyport.js",
        "serve"
      ]
    }
  }
}
`);
  expect(stderr).toContain(`${at(somebody, 'config.json')} would be written:`);
});

test('the ways to log in are those that are here', async () => {
  await using somebody = await person({ env: { SSH_AUTH_SOCK: '/run/agent' } });
  await somebody.home.write('.ssh/id_rsa', '');
  await somebody.home.write('.ssh/id_ed25519', '');
  const { stdout } = await somebody.type('init', '--print', '--host', 'web=deploy@10.0.0.5');
  expect(stdout).toContain('"auth": [{ "agent": true }, { "key": "~/.ssh/id_ed25519" }, { "key": "~/.ssh/id_rsa" }] }');
});

const LINES: readonly { readonly client: string; readonly text: string }[] = [
  {
    client: 'claude-code',
    text: 'claude mcp add --scope user sallyport -- /usr/bin/node /opt/sallyport/dist/sallyport.js serve\n',
  },
  { client: 'codex', text: 'codex mcp add sallyport -- /usr/bin/node /opt/sallyport/dist/sallyport.js serve\n' },
  {
    client: 'gemini',
    text: 'gemini mcp add --scope user sallyport /usr/bin/node -- /opt/sallyport/dist/sallyport.js serve\n',
  },
  {
    client: 'vscode',
    text: `code --add-mcp '{"name":"sallyport","command":"/usr/bin/node","args":["/opt/sallyport/dist/sallyport.js","serve"]}'\n`,
  },
];

test.each(LINES)('$client is told in its own words', async ({ client, text }) => {
  await using somebody = await person();
  expect((await somebody.type('init', '--client', client)).stdout).toBe(text);
});

test('without a client there is a line for each', async () => {
  await using somebody = await person();
  const { registrations } = JSON.parse((await somebody.type('init', '--json')).stdout);
  expect(registrations.map((each: { client: string }) => each.client)).toEqual([
    'claude-code',
    'codex',
    'gemini',
    'cursor',
    'vscode',
    'claude-desktop',
  ]);
});

test('what was chosen here is chosen in the registration too, by absolute paths and quoted', async () => {
  await using somebody = await person({ env: { SALLYPORT_STATE: '/var/state' } });
  const { stdout } = await somebody.type('init', '--client', 'codex', '--grant', 'ci', '--config', "it's.json");
  expect(stdout).toBe(
    `codex mcp add sallyport -- /usr/bin/node /opt/sallyport/dist/sallyport.js serve --config '${somebody.home.path}/it'\\''s.json' --state /var/state --grant ci\n`,
  );
});

const REFUSED: readonly { readonly argv: readonly string[]; readonly says: string }[] = [
  { argv: ['--client', 'claud-code'], says: 'unknown client "claud-code"; did you mean "claude-code"?' },
  { argv: ['--preset', 'amdin'], says: 'unknown preset "amdin"; did you mean "admin"?' },
  { argv: ['--preset', 'toString'], says: 'unknown preset "toString"; there are observe, operate, admin' },
  { argv: ['--host', 'web'], says: '--host "web" is not NAME=USER@ADDRESS[:PORT], like web=deploy@10.0.0.5:22' },
  {
    argv: ['--host', 'web=10.0.0.5'],
    says: '--host "web=10.0.0.5" is not NAME=USER@ADDRESS[:PORT], like web=deploy@10.0.0.5:22',
  },
  { argv: ['--host', 'a=b@c', '--host', 'a=d@e'], says: '--host names a twice' },
  {
    argv: ['--host', '-a=b@c:99999'],
    says: '--host needs a value: write --host=-a=b@c:99999 if it is "-a=b@c:99999"',
  },
  {
    argv: ['--host=-a=b@-c:99999'],
    says: [
      '--host: /hosts/-a must be a name of letters, digits, ., _ and -, up to 128',
      '--host: /hosts/-a/address an address does not begin with a dash',
      '--host: /hosts/-a/port must be at most 65535',
    ].join('\n'),
  },
];

test.each(REFUSED)('init $argv is refused, and nothing is written', async ({ argv, says }) => {
  await using somebody = await person();
  expect(await somebody.type('init', ...argv)).toEqual({
    code: 2,
    stdout: '',
    stderr: `sallyport: ${says}\nTry sallyport --help.\n`,
  });
  await expect(stat(at(somebody, ''))).rejects.toThrow('ENOENT');
});

test('a place that cannot be written to is an error of the surroundings', async () => {
  await using somebody = await person();
  await somebody.home.write('.config', 'a file where a folder should be');
  const { code, stderr } = await somebody.type('init');
  expect(code).toBe(4);
  expect(stderr).toMatch(/^sallyport: \/.*config\.json cannot be written: (ENOTDIR|EEXIST).*\n$/);
});
