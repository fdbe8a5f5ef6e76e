import { expect, test } from 'vitest';
import { compilePinned, LivePolicy } from '../../src/config/live-policy.ts';
import type { Sight } from '../../src/config/watch.ts';
import { InvalidFile } from '../../src/errors.ts';
import { NO_POLICY } from '../../src/policy/decide.ts';

const FILE = '/etc/policy.json';
const OPEN = '{"version": "1", "default": "allow"}';
const SHUT = '{"version": "1", "default": "deny"}';
const PIN = 'sha256:b1f5bbf0';
const open = compilePinned(OPEN, FILE, undefined);
const shut = compilePinned(SHUT, FILE, undefined);

test('a sound document is in force at once, and says what it came after', () => {
  const live = new LivePolicy(FILE, open);
  expect(live.take({ kind: 'text', text: SHUT })).toMatchObject({
    taken: true,
    policy: { digest: shut.digest },
    was: { digest: open.digest },
  });
  expect(live.policy.digest).toBe(shut.digest);
});

const FAILING = `{"version": "1", "default": "allow",
  "rules": [{"id": "look", "effect": "allow", "commands": ["uptime"], "match": ["df"]}]}`;

const BAD: readonly { readonly title: string; readonly sight: Sight; readonly says: readonly string[] }[] = [
  { title: 'a file that is gone', sight: { kind: 'absent' }, says: ['/etc/policy.json:1:1 / does not exist'] },
  {
    title: 'one that others may write',
    sight: { kind: 'refused', message: 'It is open to others.' },
    says: ['/etc/policy.json:1:1 / cannot be trusted: It is open to others.'],
  },
  {
    title: 'half a document',
    sight: { kind: 'text', text: SHUT.slice(0, 20) },
    says: [expect.stringContaining('/etc/policy.json:1:')],
  },
  {
    title: 'one with two mistakes',
    sight: { kind: 'text', text: '{"version": "2", "default": "perhaps"}' },
    says: [expect.stringContaining('/version'), expect.stringContaining('/default')],
  },
  {
    title: 'one that fails its own examples',
    sight: { kind: 'text', text: FAILING },
    says: [expect.stringContaining('/rules/0/match/0')],
  },
];

test.each(BAD)('$title leaves the last good document in force, with every problem', ({ sight, says }) => {
  const live = new LivePolicy(FILE, shut);
  const news = live.take(sight);
  expect(news.taken).toBe(false);
  expect(new InvalidFile('problems' in news ? news.problems : []).message.split('\n')).toEqual(says);
  expect(live.policy).toBe(shut);
});

test('a pinned policy takes no other document, and the same one in other words', () => {
  const live = new LivePolicy(FILE, shut, shut.digest);
  expect(live.take({ kind: 'text', text: OPEN })).toMatchObject({
    taken: false,
    problems: [{ message: `is ${open.digest}, and only ${shut.digest} may be in force` }],
  });
  expect(live.policy).toBe(shut);
  expect(live.take({ kind: 'text', text: `// as before\n${SHUT}` }).taken).toBe(true);
});

test('a document with another digest than the pin does not compile', () => {
  expect(() => compilePinned(OPEN, FILE, PIN)).toThrow(
    `/etc/policy.json:1:1 / is ${open.digest}, and only ${PIN} may be in force`,
  );
});

test('the first document that is written is in force, and until then there is none', () => {
  const live = new LivePolicy(FILE, NO_POLICY);
  expect(live.take({ kind: 'text', text: '{' }).taken).toBe(false);
  expect(live.policy).toBe(NO_POLICY);
  live.take({ kind: 'text', text: OPEN });
  expect(live.policy.digest).toBe(open.digest);
});
