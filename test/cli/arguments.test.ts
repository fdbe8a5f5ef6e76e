import { expect, test } from 'vitest';
import { COMMANDS } from '../../src/cli/commands.ts';
import { person } from './person.ts';

const TRY = 'Try sallyport --help.\n';

const BAD: readonly { readonly argv: readonly string[]; readonly says: string }[] = [
  { argv: ['--tranport=http'], says: 'unknown flag "--tranport"' },
  { argv: ['--polcy', 'x'], says: 'unknown flag "--polcy"; did you mean "--policy"?' },
  { argv: ['-x'], says: 'unknown flag "-x"' },
  { argv: ['--toString'], says: 'unknown flag "--toString"' },
  { argv: ['serve', '--http'], says: 'unknown flag "--http"' },
  { argv: ['hosts', '--shadow', 'p.json'], says: 'unknown flag "--shadow"' },
  {
    argv: ['serve', '--pin', 'sha256:12'],
    says: '--pin must be sha256: and 64 hexadecimal digits; policy validate prints them',
  },
  {
    argv: ['--pin', 'sha256:12', 'serve'],
    says: '--pin must be sha256: and 64 hexadecimal digits; policy validate prints them',
  },
  {
    argv: ['serve', 'now'],
    says: 'serve does not take "now"; usage: sallyport serve [--pin sha256:...] [--shadow FILE]',
  },
  { argv: ['srve'], says: 'unknown command "srve"; did you mean "serve"?' },
  {
    argv: ['recordings'],
    says: 'unknown command "recordings"; there are serve, init, doctor, hosts, policy, sessions, approvals, audit',
  },
  { argv: ['hosts', 'tst', 'web'], says: 'unknown command of hosts "tst"; did you mean "test"?' },
  {
    argv: ['hosts', 'enrol', 'web'],
    says: 'unknown command of hosts "enrol"; there are list, test, trust, show, add, remove, undo',
  },
  {
    argv: ['policy'],
    says: 'one more word is needed: policy validate, policy test, policy explain, policy can, policy diff, policy init, policy schema',
  },
  { argv: ['audit'], says: 'one more word is needed: audit verify, audit show' },
  { argv: ['policy', 'dif'], says: 'unknown command of policy "dif"; did you mean "diff"?' },
  {
    argv: ['policy', 'diff', 'old.json'],
    says: 'policy diff needs one more word; usage: sallyport policy diff OLD NEW [--replay AUDIT.jsonl]',
  },
  { argv: ['hosts', 'test'], says: 'hosts test needs one more word; usage: sallyport hosts test HOST' },
  { argv: ['hosts', 'test', 'a', 'b'], says: 'hosts test does not take "b"; usage: sallyport hosts test HOST' },
  { argv: ['hosts', 'list', '--', 'a'], says: 'hosts list takes nothing after --; usage: sallyport hosts list' },
  { argv: ['--config'], says: '--config needs a value: --config FILE' },
  { argv: ['--config='], says: '--config needs a value: --config FILE' },
  { argv: ['--config', '--json'], says: '--config needs a value: write --config=--json if it is "--json"' },
  { argv: ['--json=yes', 'hosts'], says: '--json takes no value' },
  { argv: ['hosts', '--grant', 'a', '--grant', 'b'], says: '--grant was given twice' },
  { argv: ['hosts', '--grant', 'a b'], says: '--grant must be a name of letters, digits, ., _ and -, up to 64' },
  {
    argv: ['hosts', '--log-level', 'wran'],
    says: '--log-level must be one of error, warn, info, debug; did you mean "warn"?',
  },
  { argv: ['hosts', '--print'], says: 'unknown flag "--print"' },
  {
    argv: ['\u001b[2J'],
    says: 'unknown command "\\u001b[2J"; there are serve, init, doctor, hosts, policy, sessions, approvals, audit',
  },
];

test.each(BAD)('$argv is refused with what is near', async ({ argv, says }) => {
  await using somebody = await person({ tty: true });
  expect(await somebody.type(...argv)).toEqual({ code: 2, stdout: '', stderr: `sallyport: ${says}\n${TRY}` });
});

const VARIABLES: readonly { readonly env: Record<string, string>; readonly says: string }[] = [
  { env: { SALLYPORT_POLCY: '/x' }, says: 'unknown variable SALLYPORT_POLCY; did you mean "SALLYPORT_POLICY"?' },
  { env: { SALLYPORT_HTTP: '1' }, says: 'SALLYPORT_HTTP is not available in this version' },
  {
    env: { SALLYPORT_PIN: 'sha256:x' },
    says: 'SALLYPORT_PIN must be sha256: and 64 hexadecimal digits; policy validate prints them',
  },
  { env: { SALLYPORT_JSON: 'yes' }, says: 'SALLYPORT_JSON must be 1, true, 0 or false' },
  { env: { SALLYPORT_GRANT: '../x' }, says: 'SALLYPORT_GRANT must be a name of letters, digits, ., _ and -, up to 64' },
  { env: { SALLYPORT_LOG_LEVEL: 'loud' }, says: 'SALLYPORT_LOG_LEVEL must be one of error, warn, info, debug' },
];

test.each(VARIABLES)('the environment $env is refused', async ({ env, says }) => {
  await using somebody = await person({ env });
  expect(await somebody.type('hosts')).toEqual({ code: 2, stdout: '', stderr: `sallyport: ${says}\n${TRY}` });
});

test('a variable of somebody else with our prefix is left alone', async () => {
  await using somebody = await person({ env: { SALLYPORT_WEB_PASSWORD: 'x', SALLYPORT_SSHD: '/usr/sbin/sshd' } });
  expect((await somebody.type('hosts')).code).toBe(0);
});

test('a flag beats the environment, and an empty variable is none', async () => {
  await using somebody = await person({ env: { SALLYPORT_CONFIG: '/nowhere/a.json', SALLYPORT_GRANT: '' } });
  await somebody.home.write('b.json', '{}');
  const byFlag = await somebody.type('hosts', '--config', 'b.json', '--json');
  const byVariable = await somebody.type('hosts', '--json');
  expect(byFlag).toEqual({ code: 0, stdout: `{"file":"${somebody.home.path}/b.json","hosts":[]}\n`, stderr: '' });
  expect(byVariable).toEqual({ code: 3, stdout: '', stderr: '/nowhere/a.json:1:1 / does not exist\n' });
});

test('SALLYPORT_JSON is the twin of --json', async () => {
  await using somebody = await person({ env: { SALLYPORT_JSON: '1' } });
  expect(JSON.parse((await somebody.type('hosts')).stdout)).toEqual({
    file: `${somebody.home.path}/.config/sallyport/config.json`,
    hosts: [],
  });
});

test.each(COMMANDS.map(command => ({ name: command.words.join(' '), command })))(
  '$name --help begins with three examples and is data',
  async ({ command }) => {
    await using somebody = await person();
    const { code, stdout, stderr } = await somebody.type(...command.words, '--help');
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    const [about, , title, ...rest] = stdout.split('\n');
    expect(about?.toLowerCase()).toBe(`${command.about.toLowerCase()}.`);
    expect([title, ...rest.slice(0, 3)]).toEqual(['Examples:', ...command.examples.map(example => `  ${example}`)]);
    expect(stdout).toContain(`Usage: sallyport ${command.words.join(' ')}`);
    for (const flag of Object.keys(command.flags)) expect(stdout).toContain(`--${flag}`);
    expect(stdout).toContain('SALLYPORT_LOG_LEVEL');
  },
);

test('every example of the help is a command line that is understood', async () => {
  await using somebody = await person();
  for (const example of COMMANDS.flatMap(command => command.examples)) {
    const words = example.match(/'[^']*'|\S+/g)?.map(word => word.replaceAll("'", '')) ?? [];
    const { code, stdout } = await somebody.type('--help', ...words.slice(1));
    expect({ example, code }).toEqual({ example, code: 0 });
    expect(stdout).toContain('Examples:');
  }
});

test('help and version answer as words and as flags', async () => {
  await using somebody = await person();
  const [help, flag, short] = [await somebody.type('help'), await somebody.type('--help'), await somebody.type('-h')];
  expect(help.stdout).toContain('Examples:\n  sallyport init');
  expect([flag, short]).toEqual([help, help]);
  expect(await somebody.type('help', 'hosts', 'trust')).toEqual(await somebody.type('hosts', 'trust', '--help'));
  expect(await somebody.type('version')).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
  expect(await somebody.type('serve', '--version')).toEqual({ code: 0, stdout: '1.2.3\n', stderr: '' });
});

test('a group alone shows what belongs to it', async () => {
  await using somebody = await person();
  const { stdout } = await somebody.type('policy', '--help');
  expect(stdout).toContain('sallyport policy validate [FILE]');
  expect(stdout).toContain('sallyport policy explain [FILE]');
  expect(stdout).toContain('sallyport policy diff OLD NEW [--replay AUDIT.jsonl]');
  expect(stdout).not.toContain('hosts');
});

test('a bare command on a terminal is help', async () => {
  await using somebody = await person({ tty: true });
  expect(await somebody.type()).toEqual(await somebody.type('--help'));
});

test('what a file holds cannot move the cursor of whoever reads the problem', async () => {
  await using somebody = await person({ tty: true });
  await somebody.home.write('.config/sallyport/config.json', '{"\\u001b[2J\\u202e": 1}');
  const { code, stderr } = await somebody.type('hosts');
  expect(code).toBe(3);
  expect(stderr).toContain('/\\u{1b}[2J\\u{202e} is not a known name');
});
