import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { type Bound, Seal } from '../../src/mcp/seal.ts';
import { manualClock } from '../support/clock.ts';

const QUESTION = { id: `ap_${'A'.repeat(22)}`, digest: `sha256:${'0'.repeat(64)}` };
const CALL: Bound = { grant: 'ci', tool: 'ssh_exec', arguments: { host: 'web-1', command: 'id', env: { A: '1' } } };
const MINUTE = 60_000;

const made = () => {
  const clock = manualClock();
  return { clock, seal: new Seal(randomBytes, clock) };
};

test('a state opens with the call that it was given out for, whatever the order of its arguments', () => {
  const { seal } = made();
  const state = seal.close(QUESTION, MINUTE, CALL);
  const again = { tool: 'ssh_exec', grant: 'ci', arguments: { env: { A: '1' }, command: 'id', host: 'web-1' } };
  expect(seal.open(state, again)).toEqual({
    kind: 'open',
    claim: { ...QUESTION, untilMonoMs: 3_600_000 + MINUTE },
  });
});

test('a state shows nothing of what is asked, and two of the same question share nothing', () => {
  const { seal } = made();
  const [one, two] = [seal.close(QUESTION, MINUTE, CALL), seal.close(QUESTION, MINUTE, CALL)];
  const bytes = Buffer.from(one.slice(4), 'base64url').toString('latin1');
  expect(bytes).not.toContain('ap_');
  expect(bytes).not.toContain('sha256');
  expect(one.slice(0, 20)).not.toBe(two.slice(0, 20));
});

const OTHERS: readonly { readonly title: string; readonly bound: Bound }[] = [
  { title: 'another grant', bound: { ...CALL, grant: 'local' } },
  { title: 'another tool', bound: { ...CALL, tool: 'ssh_connect' } },
  { title: 'another command', bound: { ...CALL, arguments: { ...CALL.arguments, command: 'id ' } } },
  { title: 'another host', bound: { ...CALL, arguments: { ...CALL.arguments, host: 'web-2' } } },
  { title: 'an argument more', bound: { ...CALL, arguments: { ...CALL.arguments, detach: false } } },
  { title: 'an argument less', bound: { ...CALL, arguments: { host: 'web-1', command: 'id' } } },
  { title: 'a number for a text', bound: { ...CALL, arguments: { ...CALL.arguments, env: { A: 1 } } } },
];

test.each(OTHERS)('a state does not open with $title', ({ bound }) => {
  const { seal } = made();
  expect(seal.open(seal.close(QUESTION, MINUTE, CALL), bound)).toEqual({ kind: 'foreign' });
});

test('arguments that nest deeper than any that are asked about open nothing', () => {
  const { seal } = made();
  const deep = JSON.parse(`${'['.repeat(500)}${']'.repeat(500)}`);
  const state = seal.close(QUESTION, MINUTE, CALL);
  expect(seal.open(state, { ...CALL, arguments: { deep } })).toEqual({ kind: 'foreign' });
});

test('a state of another process opens nothing here', () => {
  const state = made().seal.close(QUESTION, MINUTE, CALL);
  expect(made().seal.open(state, CALL)).toEqual({ kind: 'foreign' });
});

/** Base64url leaves bits over in the last character of two lengths of three. */
test.each(['', 'x', 'xx'])('no character of a state can be changed, left out, doubled or put behind it (%j)', more => {
  const { seal } = made();
  const state = seal.close({ ...QUESTION, id: QUESTION.id + more }, MINUTE, CALL);
  const other = (character: string): string => (character === 'A' ? 'B' : 'A');
  const forged = [...state].flatMap((character, at) => [
    state.slice(0, at) + other(character) + state.slice(at + 1),
    state.slice(0, at) + state.slice(at + 1),
    state.slice(0, at) + character + state.slice(at),
  ]);
  const ends = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'].map(
    end => state.slice(0, -1) + end,
  );
  const tails = ['A', '=', '\n', ' ', '.', '\0', 'sp1.'].map(tail => state + tail);
  const texts = [...forged, ...ends, ...tails].filter(text => text !== state);
  expect(new Set(texts.map(text => seal.open(text, CALL).kind))).toEqual(new Set(['foreign']));
});

test.each([
  ['nothing', ''],
  ['the mark alone', 'sp1.'],
  ['zeros', `sp1.${'A'.repeat(200)}`],
  ['a megabyte', `sp1.${'A'.repeat(1_000_000)}`],
  ['JSON', JSON.stringify(QUESTION)],
])('%s is no state', (_title, text) => {
  expect(made().seal.open(text, CALL)).toEqual({ kind: 'foreign' });
});

test('a state expires by the clock that nobody sets, to the millisecond', () => {
  const { clock, seal } = made();
  const state = seal.close(QUESTION, MINUTE, CALL);
  clock.step(-86_400_000);
  clock.advance(MINUTE - 1);
  expect(seal.open(state, CALL).kind).toBe('open');
  clock.advance(1);
  expect(seal.open(state, CALL)).toEqual({ kind: 'expired' });
  clock.step(-86_400_000);
  expect(seal.open(state, CALL)).toEqual({ kind: 'expired' });
});
