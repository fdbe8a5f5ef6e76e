import { describe, expect, test } from 'vitest';
import { compile } from '../../src/policy/compile.ts';
import { decide } from '../../src/policy/decide.ts';
import { decided, policyOf, runOf, runs, said } from './rules-support.ts';

const LOOK = { id: 'look', effect: 'allow', commands: ['uptime', 'df [-h]', 'cat <path:/var/log/**>...'] };
const FILTERS = {
  id: 'filters',
  effect: 'allow',
  commands: ['wc [-l]', 'grep <any>', 'sudo [-n] <command>'],
  stdin: true,
};

describe('a command text is granted word by word, and run as it was judged', () => {
  const policy = policyOf([LOOK, FILTERS, { id: 'tmp', effect: 'allow', actions: ['write'], paths: ['/tmp/out/**'] }]);

  test.each([
    ['uptime', "'uptime'"],
    ['  uptime ;\n', "'uptime'"],
    ["u'pt'ime # how long", "'uptime'"],
    ['uptime && df -h || df', "'uptime' && 'df' '-h' || 'df'"],
    ['uptime | grep "load average" | wc -l', "'uptime' | 'grep' 'load average' | 'wc' '-l'"],
    ['cat /var/log/*.log | wc', "'cat' '/var/log/'*'.log' | 'wc'"],
    ['df -h > /tmp/out/df.txt 2>&1', "'df' '-h' 1>'/tmp/out/df.txt' 2>&1"],
    ['df 2>/dev/null </dev/null', "'df' 2>'/dev/null' 0<'/dev/null'"],
    ['echo x | sudo -n wc', undefined],
    ['df | sudo -n wc', "'df' | 'sudo' '-n' 'wc'"],
  ])('%s', (text, canonical) => {
    const program = runs(policy, text);
    expect(typeof program === 'string' ? undefined : program).toEqual(canonical && { canonical });
  });

  test.each([
    ['uptime; id', 'No rule names the program "id".'],
    ['df --all', '"df" is not granted so, word 2: "--all" is not an option of this synopsis; the nearest is: df [-h].'],
    ['uptime | df', '"df" is not granted so, at its end: it may not read this input; the nearest is: df [-h].'],
    [
      'sudo id',
      '"sudo" is not granted so, word 2: no synopsis names this program; the nearest is: sudo [-n] <command>.',
    ],
    ['/usr/bin/uptime', 'No rule names the program "/usr/bin/uptime".'],
    ['uptime > /etc/motd', 'No rule lets a redirection write "/etc/motd".'],
    ['uptime > /tmp/out/../x', 'No rule lets a redirection write "/tmp/out/../x".'],
    ['uptime > out', 'No rule lets a redirection write "out": write its absolute path.'],
    ['wc < /tmp/out/x', 'No rule lets a redirection read "/tmp/out/x".'],
    [
      'df $(id)',
      'It holds a command substitution (line 1, column 4), so what it would run is not certain. Run the inner command in a call of its own and write its output.',
    ],
    [
      'uptime\n  df &',
      'It holds a background command (line 2, column 6), so what it would run is not certain. Leave out the &: a long command is handed over as running by itself.',
    ],
    [
      'LC_ALL=C df',
      'It holds an assignment (line 1, column 1), so what it would run is not certain. Pass it in the env argument.',
    ],
  ])('%j is refused with the word or the place that failed', (text, reason) => {
    expect(said(policy, text)).toBe('deny (no rule)');
    expect(runs(policy, text)).toBe(reason);
  });

  test('a vector of words is judged and written as the text of the same words', () => {
    expect(runs(policy, { argv: ['grep', 'a b$c'] })).toEqual({ canonical: "'grep' 'a b$c'" });
    expect(said(policy, { argv: ['grep', '-r', 'x'] })).toBe('deny (no rule)');
    expect(said(policy, { argv: ['sh', '-c', 'uptime'] })).toBe('deny (no rule)');
    expect(said(policy, { argv: ['df\n', '-h'] })).toBe('deny (no rule)');
  });

  test('every rule that grants a part is named, in the order of the document', () => {
    expect(said(policy, 'df | wc > /tmp/out/x')).toBe('allow /rules/look /rules/filters /rules/tmp');
  });

  test('what the server writes in stands in what runs, and in nothing else', () => {
    const git = policyOf([
      { id: 'git', effect: 'allow', commands: ['git <with -c a=b> log [--oneline]', 'timeout <duration> <command>'] },
    ]);
    expect(runs(git, 'git log; timeout 5 git log --oneline')).toEqual({
      canonical: "'git' '-c' 'a=b' 'log'; 'timeout' '5' 'git' '-c' 'a=b' 'log' '--oneline'",
    });
  });

  test('a wrapper opens only what its own rule grants', () => {
    const split = policyOf([LOOK, { id: 'sudo', effect: 'allow', commands: ['sudo [-n] <command>', 'id'] }]);
    expect(said(split, 'sudo id')).toBe('allow /rules/sudo');
    expect(said(split, 'sudo uptime')).toBe('deny (no rule)');
  });
});

describe('what an agent may shape is read only where a rule says so', () => {
  const policy = policyOf([
    LOOK,
    FILTERS,
    { id: 'read', effect: 'allow', actions: ['read'], paths: ['/var/log/**'] },
    { id: 'packs', effect: 'allow', commands: ['@text-filters', 'tee'], stdin: true },
  ]);
  test.each([
    ['uptime', 'deny (no rule)'],
    ['wc', 'allow /rules/filters /rules/packs'],
    ['uptime; wc', 'deny (no rule)'],
    ['wc; uptime', 'deny (no rule)'],
  ])('%s, with a stdin argument', (text, answer) => {
    expect(said(policy, { text, stdin: 'x' })).toBe(answer);
  });
  test.each([
    ['wc < /var/log/syslog', 'allow'],
    ['df < /var/log/syslog', 'deny'],
    ['df < /dev/null', 'allow'],
    ['df | sort', 'allow'],
    ['df | tee', 'allow'],
  ])('%s', (text, effect) => {
    expect(decided(policy, { text }).effect).toBe(effect);
  });
  test('stdin of a rule does not open what a pack keeps closed', () => {
    const inspect = policyOf([{ id: 'inspect', effect: 'allow', commands: ['@inspect'], stdin: true }]);
    expect(said(inspect, 'uptime')).toBe('allow /rules/inspect');
    expect(said(inspect, 'uptime | uptime')).toBe('deny (no rule)');
  });
});

describe('alone, glob, env and cwd narrow what a rule grants', () => {
  const policy = policyOf([
    { id: 'alone', effect: 'allow', commands: ['uptime'], alone: true },
    { id: 'plain', effect: 'allow', commands: ['cat <path:/var/log/**>...', 'df'], glob: false },
    { id: 'env', effect: 'allow', commands: ['date'], env: ['TZ', 'LC_ALL'] },
    { id: 'cwd', effect: 'allow', commands: ['ls'], cwd: ['/srv/app/**', '~'] },
    { id: 'there', effect: 'allow', commands: ['make'], cwd: ['/srv/app'] },
  ]);
  test.each([
    [{ text: 'uptime' }, 'allow /rules/alone'],
    [{ text: 'uptime; uptime' }, 'deny (no rule)'],
    [{ text: 'uptime 2>&1' }, 'deny (no rule)'],
    [{ text: 'cat /var/log/x' }, 'allow /rules/plain'],
    [{ text: 'cat /var/log/*' }, 'deny (no rule)'],
    [{ text: 'date' }, 'allow /rules/env'],
    [{ text: 'date', env: { TZ: 'UTC' } }, 'allow /rules/env'],
    [{ text: 'date', env: { TZ: 'UTC', LANG: 'C' } }, 'deny (no rule)'],
    [{ text: 'date', env: { TZ: 'UTC\n' } }, 'deny (no rule)'],
    [{ text: 'date; df', env: { TZ: 'UTC' } }, 'deny (no rule)'],
    [{ text: 'ls' }, 'allow /rules/cwd'],
    [{ text: 'ls', cwd: '~' }, 'allow /rules/cwd'],
    [{ text: 'ls', cwd: '/srv/app' }, 'allow /rules/cwd'],
    [{ text: 'ls', cwd: '/srv/app/x' }, 'allow /rules/cwd'],
    [{ text: 'ls', cwd: '/srv/app/../x' }, 'deny (no rule)'],
    [{ text: 'ls', cwd: 'srv/app' }, 'deny (no rule)'],
    [{ text: 'ls', cwd: '/srv' }, 'deny (no rule)'],
    [{ text: 'ls', cwd: '/srv/app/x\n' }, 'deny (no rule)'],
    [{ text: 'make' }, 'deny (no rule)'],
    [{ text: 'make', cwd: '/srv/app' }, 'allow /rules/there'],
    [{ text: 'date', cwd: '/srv/app' }, 'deny (no rule)'],
  ])('%j: %s', (command, answer) => {
    expect(said(policy, command)).toBe(answer);
  });
});

describe('a text that changes the directory', () => {
  const policy = policyOf([
    { id: 'home', effect: 'allow', commands: ['make', 'uptime', 'command (-v) <name>'] },
    { id: 'app', effect: 'allow', commands: ['cd <path:/srv/app/**>', 'command cd <any>', 'ls'] },
    { id: 'both', effect: 'allow', commands: ['date'], cwd: ['~', '/srv/app/**'] },
    { id: 'move', effect: 'allow', commands: ['cd {/etc,..}', 'pushd /opt'] },
  ]);
  test.each([
    ['cd /srv/app && ls', 'allow /rules/app'],
    ['cd /srv/app; date', 'allow /rules/app /rules/both'],
    ['cd -- /srv/app/x; date', 'allow /rules/app /rules/both'],
    ['uptime; cd /srv/app', 'allow /rules/home /rules/app'],
    ['command -v make; uptime', 'allow /rules/home'],
    ['cd /srv/app && make', 'deny (no rule)'],
    ['cd /srv/app | make', 'deny (no rule)'],
    ['cd /etc; date', 'deny (no rule)'],
    ['cd /srv/app; cd ..; date', 'deny (no rule)'],
    ['pushd /opt; uptime', 'deny (no rule)'],
    ['command cd /srv/app; uptime', 'deny (no rule)'],
    ['command cd /srv/app; ls', 'allow /rules/app'],
  ])('%s: %s', (text, answer) => {
    expect(said(policy, text)).toBe(answer);
  });
});

describe('"any" grants what cannot be analysed, and that runs as it was sent', () => {
  const policy = policyOf([LOOK, { id: 'dev', effect: 'allow', commands: 'any', hosts: ['dev-*'], timeout: '1m' }]);
  test.each([
    ['echo $HOME', { text: 'echo $HOME' }],
    ['uptime; id', { text: 'uptime; id' }],
    ['ls > y', { text: 'ls > y' }],
    ['uptime', { canonical: "'uptime'" }],
  ])('%s', (text, program) => {
    expect(runs(policy, { text, host: 'dev-1' })).toEqual(program);
    expect(decided(policy, { text, host: 'dev-1' })).toMatchObject({ action: { timeoutMs: 60_000 } });
  });
  test('in any directory, and with any variable but those that make programs run something else', () => {
    expect(said(policy, { text: 'make $X', host: 'dev-1', cwd: 'src', env: { CI: '1' } })).toBe('allow /rules/dev');
    expect(said(policy, { text: 'make $X', host: 'dev-1', env: { LD_PRELOAD: '/tmp/x' } })).toBe('deny (no rule)');
  });
  test('a rule for exec without commands says the same', () => {
    const other = policyOf([{ id: 'dev', effect: 'allow', actions: ['exec'] }]);
    expect(runs(other, 'echo $HOME')).toEqual({ text: 'echo $HOME' });
  });
});

describe('what restrains is felt as soon as it is possible', () => {
  const NEVER = { id: 'never', effect: 'deny', commands: ['rm ...', 'mkfs* ...'], reason: 'Not from an agent.' };
  const policy = policyOf([
    { id: 'any', effect: 'allow', commands: 'any' },
    NEVER,
    { id: 'ask', effect: 'ask', commands: ['reboot'] },
  ]);
  test.each([
    ['rm -rf /srv', 'deny /rules/never'],
    ['uptime; rm x', 'deny /rules/never'],
    ['r\\m x', 'deny /rules/never'],
    ['mkfs.ext4 /dev/sda', 'deny /rules/never'],
    ['sudo rm x', 'ask /rules/never /rules/any'],
    ['/bin/rm x', 'ask /rules/never /rules/any'],
    ["bash -c 'id; rm x'", 'ask /rules/never /rules/any'],
    ['find / -exec rm {} +', 'ask /rules/ask /rules/never /rules/any'],
    ['$X', 'ask /rules/ask /rules/never /rules/any'],
    ['reboot', 'ask /rules/ask /rules/any'],
    ['sudo reboot', 'ask /rules/ask /rules/any'],
    ['grep rm /var/log/syslog', 'allow /rules/any'],
    ['echo rm', 'allow /rules/any'],
  ])('%s: %s', (text, answer) => {
    expect(said(policy, text)).toBe(answer);
  });

  test('an ask that nothing else grants grants, when somebody agrees', () => {
    expect(said(policyOf([{ id: 'ask', effect: 'ask', commands: ['reboot'] }]), 'reboot')).toBe('ask /rules/ask');
    expect(said(policyOf([{ id: 'ask', effect: 'ask', commands: ['reboot'] }]), 'uptime')).toBe('deny (no rule)');
  });

  test('a deny or an ask without commands restrains every command of its hosts and times', () => {
    const freeze = { id: 'freeze', effect: 'deny', when: { not_before: '2026-12-20T00:00:00Z' } };
    const frozen = policyOf([LOOK, freeze, { id: 'careful', effect: 'ask', actions: ['exec'], hosts: ['prod-*'] }]);
    expect(said(frozen, { at: '2026-12-19T23:59:59Z' })).toBe('allow /rules/look');
    expect(said(frozen, { at: '2026-12-20T00:00:00Z' })).toBe('deny /rules/freeze');
    expect(said(frozen, { host: 'prod-1' })).toBe('ask /rules/careful /rules/look');
  });

  test('redirections meet the rules about files', () => {
    const files = policyOf([
      { id: 'any', effect: 'allow', commands: 'any' },
      { id: 'etc', effect: 'deny', actions: ['write'], paths: ['/etc/**'] },
      { id: 'srv', effect: 'ask', actions: ['write'], paths: ['/srv/**'] },
    ]);
    expect(said(files, 'echo x > /etc/motd')).toBe('deny /rules/etc');
    expect(said(files, 'echo x > //etc/motd')).toBe('deny /rules/etc');
    expect(said(files, 'echo x >> /srv/x')).toBe('ask /rules/srv /rules/any');
    expect(said(files, 'echo x > /tmp/../etc/x')).toBe('ask /rules/srv /rules/etc /rules/any');
    expect(said(files, 'echo x > motd')).toBe('ask /rules/srv /rules/etc /rules/any');
    expect(said(files, 'echo $X > /tmp/x')).toBe('ask /rules/srv /rules/etc /rules/any');
    expect(said(files, 'echo $X')).toBe('allow /rules/any');
    expect(said(files, 'cat < /etc/passwd')).toBe('allow /rules/any');
  });
});

describe('a rule is about its hosts, users and times', () => {
  const policy = policyOf(
    [
      { id: 'prod', effect: 'allow', hosts: ['prod'], commands: ['uptime'] },
      { id: 'tagged', effect: 'allow', hosts: ['tag:web'], users: ['deploy', 'root'], commands: ['df'] },
      {
        id: 'office',
        effect: 'allow',
        commands: ['id'],
        when: { days: ['mon', 'fri'], hours: '08:00-18:00', tz: 'Europe/Berlin' },
      },
      { id: 'night', effect: 'allow', commands: ['date'], when: { days: ['fri'], hours: '22:00-06:00' } },
    ],
    { hosts: { prod: ['prod-*', 'tag:production', 'db'] } },
  );
  test.each([
    [{ host: 'prod-1' }, 'allow'],
    [{ host: 'db' }, 'allow'],
    [{ host: 'db2' }, 'deny'],
    [{ host: 'x', tags: ['production'] }, 'allow'],
    [{ host: 'prod' }, 'deny'],
    [{ text: 'df', tags: ['web'] }, 'allow'],
    [{ text: 'df', tags: ['web'], user: 'root' }, 'allow'],
    [{ text: 'df', tags: ['web'], user: 'mallory' }, 'deny'],
    [{ text: 'df', host: 'tag:web' }, 'deny'],
    [{ text: 'id', at: '2026-11-20T07:00:00Z' }, 'allow'],
    [{ text: 'id', at: '2026-11-20T06:59:59Z' }, 'deny'],
    [{ text: 'id', at: '2026-11-20T16:59:59Z' }, 'allow'],
    [{ text: 'id', at: '2026-11-20T17:00:00Z' }, 'deny'],
    [{ text: 'id', at: '2026-07-17T06:00:00Z' }, 'allow'],
    [{ text: 'id', at: '2026-11-21T10:00:00Z' }, 'deny'],
    [{ text: 'date', at: '2026-11-20T22:00:00Z' }, 'allow'],
    [{ text: 'date', at: '2026-11-21T05:59:00Z' }, 'allow'],
    [{ text: 'date', at: '2026-11-21T06:00:00Z' }, 'deny'],
    [{ text: 'date', at: '2026-11-21T22:00:00Z' }, 'deny'],
    [{ text: 'date', at: '2026-11-20T05:00:00Z' }, 'deny'],
  ])('%j: %s', (command, effect) => {
    expect(decided(policy, command).effect).toBe(effect);
  });
});

describe('tools and rules must both pass', () => {
  const rules = [
    {
      id: 'look',
      effect: 'allow',
      commands: ['uptime'],
      limits: [{ counter: 'c', window: 'hour', max: 2, scope: 'host' }],
    },
  ];
  test('a tool that is denied, or asks, is not opened by a rule', () => {
    expect(said(policyOf(rules, { default: 'deny' }), 'uptime')).toBe('deny (default deny)');
    const asks = policyOf(rules, { tools: { ssh_exec: { approval: {} } } });
    expect(said(asks, 'uptime')).toBe('ask /tools/ssh_exec/approval /rules/look');
    expect(said(asks, 'id')).toBe('deny (no rule)');
  });

  test('without rules the text runs as it was sent; with none that grants, nothing runs', () => {
    expect(runs(compile('{ "version": "1", "default": "allow" }', 'p.json'), '$X')).toEqual({ text: '$X' });
    expect(runs(policyOf([]), 'uptime')).toBe('No rule names the program "uptime".');
  });

  test('the limits of every deciding rule are charged beside those of the tool', () => {
    const limit = { counter: 'all', window: 'minute', max: 9, scope: 'grant' };
    const policy = policyOf(rules, { tools: { ssh_exec: { limits: [limit] } } });
    const decision = decided(policy, {});
    expect(decision.effect === 'deny' ? [] : decision.charges.map(({ rule, key }) => `${rule} ${key}`)).toEqual([
      '/tools/ssh_exec/limits/all [60000,"grant","all","local"]',
      '/rules/look/limits/c [3600000,"host","c","web-1"]',
    ]);
  });

  test('a rule that asks is charged and obeyed, whether it grants or restrains', () => {
    const limits = [{ counter: 'asked', window: 'hour', max: 5, scope: 'grant' }];
    const asks = { id: 'asks', effect: 'ask', commands: ['uptime'], limits, timeout: '9s' };
    for (const text of ['uptime', 'sudo uptime']) {
      const decision = decided(policyOf([{ id: 'any', effect: 'allow', commands: 'any' }, asks]), { text });
      expect(decision).toMatchObject({
        effect: 'ask',
        charges: [{ rule: '/rules/asks/limits/asked' }],
        obligations: { timeoutMs: 9000 },
      });
    }
  });

  test('the shortest timeout and the smallest output hold, and never lengthen what was asked', () => {
    const policy = policyOf([
      { id: 'a', effect: 'allow', commands: ['uptime'], timeout: '30s', output: { max_bytes: 9000 } },
      { id: 'b', effect: 'allow', commands: ['uptime', 'df'], timeout: '1m', output: { max_bytes: 5000 } },
    ]);
    expect(decided(policy, {})).toMatchObject({
      obligations: { timeoutMs: 30_000, maxOutputBytes: 5000 },
      action: { timeoutMs: 30_000 },
    });
    expect(decided(policy, { timeoutMs: 1000 })).toMatchObject({ action: { timeoutMs: 1000 } });
  });

  test('a session and a connection are granted where anything is, and denied where everything is', () => {
    const policy = policyOf([
      ...rules,
      { id: 'logs', effect: 'ask', hosts: ['files-1'], actions: ['read'], paths: ['/var/log/**'] },
      { id: 'closed', effect: 'deny', hosts: ['shut-*'] },
      { id: 'quiet', effect: 'deny', hosts: ['quiet-*'], actions: ['exec'] },
    ]);
    const start = (kind: 'open' | 'connect', host: string) => {
      const { target } = runOf({ host });
      const action = kind === 'open' ? { kind, mode: 'managed' as const, target } : { kind, target };
      const call = { id: 'c', grant: 'local', tool: 'ssh_connect', input: {}, action, at: 0 };
      const decision = decide(policy, call, {});
      return `${decision.effect} ${decision.because[0].rule}`;
    };
    expect(start('open', 'web-1')).toBe('allow /rules/look');
    expect(start('open', 'quiet-1')).toBe('deny /rules/quiet');
    expect(start('open', 'shut-1')).toBe('deny /rules/closed');
    expect(start('connect', 'web-1')).toBe('allow /rules/look');
    expect(start('connect', 'quiet-1')).toBe('allow /rules/look');
    expect(start('connect', 'shut-1')).toBe('deny /rules/closed');
    const nothing = policyOf([{ id: 'files', effect: 'allow', hosts: ['a'], actions: ['read'], paths: ['/**'] }]);
    const at = (kind: 'open' | 'connect', host: string) => {
      const { target } = runOf({ host });
      const action = kind === 'open' ? { kind, mode: 'managed' as const, target } : { kind, target };
      return decide(nothing, { id: 'c', grant: 'local', tool: 'ssh_connect', input: {}, action, at: 0 }, {}).effect;
    };
    expect([at('open', 'a'), at('connect', 'a'), at('connect', 'b')]).toEqual(['deny', 'allow', 'deny']);
  });
});

test('a hostile text of 64 KiB is decided at once', () => {
  const policy = policyOf([
    {
      id: 'look',
      effect: 'allow',
      commands: ['@inspect', '@logs', '@files-read(/srv)', '@text-filters', 'sudo [-n] <command>'],
    },
    { id: 'never', effect: 'deny', commands: ['rm ...', '{cat,grep} [<any>]... <path:/srv/**/*.key> ...'] },
  ]);
  const hostile = [
    'uptime;',
    "'a'",
    '\\a',
    'sudo ',
    "bash -c '",
    '$(',
    ';',
    '{',
    '"',
    'cat /srv/a/../',
    'ls /var/log/* ',
    'uptime | ',
    '-exec rm {} + ',
  ];
  const begun = performance.now();
  for (const piece of hostile)
    for (const head of ['', 'cat ', "bash -c '"])
      decided(policy, { text: (head + piece.repeat(65_536)).slice(0, 65_536) });
  expect(performance.now() - begun).toBeLessThan(5_000);
});
