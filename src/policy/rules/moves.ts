import type { Simple } from '../../shell/script.ts';

/** Builtins after which the directory may be another one for the commands behind them. */
const MOVES: ReadonlySet<string> = new Set('cd chdir pushd popd eval . source trap'.split(' '));
const WRAPS: ReadonlySet<string> = new Set(['command', 'builtin']);

/** Whether the commands behind this one may run in another directory. */
export const mayMove = ({ words: [name, ...operands] }: Simple): boolean =>
  MOVES.has(name.text) || (WRAPS.has(name.text) && operands.some(({ whole, text }) => !whole || MOVES.has(text)));

/** Where a plain `cd` leads, when it says so by an absolute name. */
export const destinationOf = ({ words: [name, ...operands] }: Simple): string | undefined => {
  const [to, ...more] = operands[0]?.text === '--' ? operands.slice(1) : operands;
  return name.text === 'cd' && to?.whole === true && more.length === 0 && to.text.startsWith('/') ? to.text : undefined;
};
