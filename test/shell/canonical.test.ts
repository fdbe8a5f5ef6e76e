import { expect, test } from 'vitest';
import { type Account, loginShells, record } from './recorder.ts';
import { randomScripts } from './scripts.ts';
import { trialOfScripts } from './trial.ts';

const SCRIPTS = 150;
const seed = Number(process.env.SALLYPORT_TEST_SEED ?? Date.now() % 1_000_000_007);

const names = ['a', 'b', 'c', 'ab', 'x1', 'if', 'done'];
const functions = names.map(name => `function ${name} { pwned; }`).join('\n');
const aliases = names.map(name => `alias ${name}=pwned`).join('\n');
const fish = names.map(name => `function ${name.replace(/^(if)$/, 'x_$1')}; pwned; end`).join('\n');

/** Startup files that put something else in the place of every program. */
const hijacked: Account = {
  locale: 'C',
  home: {
    '.bashrc': `shopt -s expand_aliases\n${aliases}\n${functions.replace(/function (if|done) .*\n?/g, '')}\n`,
    '.zshenv': `${aliases}\nalias -g b=pwned\nsetopt extendedglob\n`,
    '.mkshrc': `${aliases}\n`,
    '.tcshrc': `${aliases.replaceAll('=', ' ')}\nset histchars\n`,
    '.config/fish/config.fish': `${fish}\n`,
  },
};

const hijackable = loginShells().filter(({ name }) => ['bash', 'zsh', 'fish', 'tcsh'].includes(name));

test.each(hijackable)('the startup files of $name do replace a program that is not wrapped', async shell => {
  const { ran } = await record(shell, ['a x'], ['a', 'pwned'], hijacked);
  expect(ran.map(vectors => vectors.map(([name]) => name))).toEqual([['pwned']]);
});

test.each<[string, Account]>([
  ['a clean account', { locale: 'C.UTF-8', home: {} }],
  ['an account whose startup files replace every program', hijacked],
])(
  `the wrapped canonical form starts exactly the written words in every login shell: %s (seed ${seed})`,
  async (_, account) => {
    // yash cannot take text outside ASCII in the C locale: it starts nothing.
    const shells = loginShells().filter(({ name }) => account.locale !== 'C' || name !== 'yash');
    const result = await trialOfScripts(shells, randomScripts(seed, SCRIPTS), account);
    process.stdout.write(
      `canonical: seed ${seed}, ${result.lines} scripts in ${shells.map(({ name }) => name).join(' ')}, ` +
        `${result.started} programs started, ${result.mismatches.length} mismatches\n`,
    );
    expect(result.mismatches).toEqual([]);
    expect(result.started).toBeGreaterThan(SCRIPTS * shells.length);
  },
  600_000,
);
