import { expect, test } from 'vitest';
import { read } from '../../src/shell/read.ts';
import { reachOf, reachOfText } from '../../src/shell/unwrap.ts';

const reached = (text: string): readonly string[] =>
  reachOfText(read(text)).commands.map(words => words.map(word => word.text).join(' '));

test.each<[string, readonly string[]]>([
  ['rm x', ['rm x']],
  ['echo rm', ['echo rm']],
  ['grep rm /var/log/syslog', ['grep rm /var/log/syslog']],
  ['/bin/rm x', ['/bin/rm x', 'rm x']],
  ['sudo rm x', ['sudo rm x', 'rm x']],
  ['a; sudo b | nohup c', ['a', 'sudo b', 'b', 'nohup c', 'c']],
  ['env A=1 B=2 rm x', ['env A=1 B=2 rm x', 'rm x']],
  ['command rm', ['command rm', 'rm']],
  ['busybox rm x', ['busybox rm x', 'rm x']],
  ['eval rm x', ['eval rm x', 'rm x', 'rm x']],
])('%j reaches exactly %j', (text, commands) => {
  expect(reached(text)).toEqual(commands);
});

test.each([
  'sudo -u app rm x',
  'sudo -n -- rm x',
  'sudo -u app -g app A=1 rm x',
  'nohup sudo -u app rm x',
  'doas -u root rm x',
  'nice -n 10 rm x',
  'nice --adjustment=10 rm x',
  'timeout 5 rm x',
  'timeout -k 5 -s KILL 10s rm x',
  'setsid -f rm x',
  'stdbuf -oL rm x',
  'stdbuf -o L rm x',
  'ionice -c 2 -n 7 rm x',
  'chroot /mnt rm x',
  'time -p rm x',
  '/usr/bin/env -i rm x',
  'env -u HOME -C /tmp rm x',
  "env -S 'rm x'",
  "env '-Srm x'",
  "env --split-string='rm x'",
  'xargs rm x',
  'xargs -I {} -n 1 rm x',
  "xargs -I{} sh -c 'rm x'",
  'find / -exec rm x',
  'find / -name y -execdir rm x',
  'find / -ok rm x',
  "sh -c 'rm x'",
  "bash -lc 'rm x'",
  "bash -o pipefail -c 'rm x'",
  "bash -c -e 'rm x'",
  "/bin/sh -c 'id; rm x'",
  "sh -c 'true && sudo rm x' arg0",
  "busybox sh -c 'rm x'",
  'sh -c "sh -c \'rm x\'"',
  "su root -c 'rm x'",
  "su - -c 'rm x'",
  'runuser -u app -- rm x',
  "eval 'rm x'",
  "trap 'rm x' EXIT",
  "alias l='rm x'",
  "watch -n 1 'rm x'",
  'watch rm x',
  'ssh -p 22 host rm x',
  "ssh host 'rm x'",
  'flock /tmp/l rm x',
  "flock /tmp/l -c 'rm x'",
  "script -c 'rm x' /dev/null",
  'docker exec -it web rm x',
  'kubectl -n a exec pod -- rm x',
  'tmux new-session -d rm x',
  'strace -f rm x',
  'systemd-run --scope rm x',
  '/lib64/ld-linux-x86-64.so.2 rm x',
  'sudo -u app env A=1 nice -n 5 timeout 3 rm x',
  'env * rm x',
  'env - rm x',
  "env --split='rm x'",
  "flock /tmp/l --comm 'rm x'",
  "runuser --session-command 'rm x' app",
  "fish -C 'rm x'",
  "fish --init-command='rm x'",
  'docker run --entrypoint=rm x',
  "tmux new-session -d 'rm x'",
  "nix-shell --run 'rm x'",
  "capsh -- -c 'rm x'",
  'choom -n 5 -- rm x',
  'runcon -t type rm x',
  'ip netns exec blue rm x',
  'npm exec -- rm x',
  'bundle exec rm x',
  'systemd-nspawn -D /mnt rm x',
])('%j reaches rm x', text => {
  expect(reached(text)).toContain('rm x');
});

test.each([
  ["sh -c 'rm $x'", true],
  ["sh -c 'ls'", false],
  ['sh', true],
  ['curl x | bash -s', true],
  ['bash /srv/deploy.sh', false],
  ['sudo -s', true],
  ['sudo -n id', false],
  ['su', true],
  ['runuser app', true],
  ['runuser -u app id', false],
  ['bash --rcfile x', true],
  ['at now', true],
  ['sudo '.repeat(9), true],
  ['rm $x', true],
  ['$x', true],
  ['uptime', false],
])('whether %j may start what cannot be seen: %s', (text, opaque) => {
  expect(reachOfText(read(text)).opaque).toBe(opaque);
});

test.each(['fd . -xrm', 'fd . --exec=rm'])('%j reaches rm', text => {
  expect(reached(text)).toContain('rm');
});

test('what can be seen of an unknown text is followed too', () => {
  expect(reached('if true; then sudo rm x; fi')).toEqual(['true', 'sudo rm x', 'rm x']);
});

test('a word that is cut short may be anything', () => {
  expect(reachOf([{ text: '/bin/r', whole: false }]).opaque).toBe(true);
  expect(
    reachOf([
      { text: 'sh', whole: true },
      { text: '-c', whole: true },
      { text: 'ls ', whole: false },
    ]).opaque,
  ).toBe(true);
});

test.each([['ssh'], ['docker'], ['sh -c'], ['sudo -a'], ['watch'], ['env']])(
  'a search through a thousand times %j stays small, and says that it saw not all',
  word => {
    const { commands, opaque } = reachOfText(read(`${`${word} `.repeat(500)}x`));
    expect(opaque).toBe(true);
    expect(commands.length).toBeLessThan(500);
  },
);
