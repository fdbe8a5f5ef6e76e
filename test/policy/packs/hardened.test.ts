import { expect, test } from 'vitest';
import { PACKS } from '../../../src/policy/packs/index.ts';
import { readCommands } from '../../../src/policy/packs/pack.ts';
import { commandsOf, grant } from '../../../src/policy/synopsis/commands.ts';
import { wordsOf } from '../synopsis/support.ts';

/** What runs: the words of the agent with those that the pack writes in. */
const written = (pack: string, text: string): string => {
  const outcome = readCommands([pack], false, PACKS);
  if ('mistakes' in outcome) throw new Error(JSON.stringify(outcome.mistakes));
  const words = wordsOf(text);
  const granted = grant(commandsOf(outcome.listed), { words, shaped: false });
  if (!granted.hit) return `refused: ${granted.why}`;
  return [...words.map(({ text }) => text), '']
    .flatMap((word, place) => [
      ...granted.written.filter(({ before }) => before === place).flatMap(({ words }) => words),
      word,
    ])
    .join(' ')
    .trim();
};

test.each([
  ['@docker-read', 'docker compose -p shop ps -a', 'docker compose --project-directory / -p shop ps -a'],
  ['@docker-read', 'docker compose ls', 'docker compose --project-directory / ls'],
  ['@packages-read', 'dnf -q list installed', 'dnf --assumeno -q list installed'],
  ['@packages-read', 'yum history info 3', 'yum --assumeno history info 3'],
  ['@packages-read', 'pip3 list', 'pip3 --disable-pip-version-check --no-input list'],
  ['@db-ping', 'psql -l', 'psql -X -w -l'],
  ['@disk', 'blkid /dev/sda1', 'blkid -c /dev/null /dev/sda1'],
  ['@network-read', 'resolvectl dns eth0', 'resolvectl --no-pager dns eth0'],
  ['@network-read', 'networkctl status', 'networkctl --no-pager status'],
  ['@systemd-read', 'coredumpctl list', 'coredumpctl --no-pager list'],
  ['@systemd-read', 'journalctl -F UNIT', 'journalctl --no-pager -F UNIT'],
])('%s runs %s without what the host or the working directory could make of it', (pack, text, runs) => {
  expect(written(pack, text)).toBe(runs);
});

test.each([
  ['@db-ping', 'redis-cli -h db-1 ping', 'refused'],
  ['@db-ping(db-1, db-2)', 'redis-cli -h db-1 ping', 'redis-cli -h db-1 ping'],
  ['@db-ping(db-1, db-2)', 'redis-cli -h localhost ping', 'redis-cli -h localhost ping'],
  ['@db-ping(db-1, db-2)', 'redis-cli -h db-3 ping', 'refused'],
  ['@db-ping(10.0.0.5)', 'pg_isready -h 10.0.0.5', 'pg_isready -h 10.0.0.5'],
  ['@db-ping(10.0.0.5)', 'pg_isready --host=10.0.0.6', 'refused'],
])('%s asks only the servers that it names: %s', (pack, text, runs) => {
  expect(written(pack, text).replace(/: .*/, '')).toBe(runs);
});
