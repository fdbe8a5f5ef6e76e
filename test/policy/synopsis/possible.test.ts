import { expect, test } from 'vitest';
import { isFelt, ruleOf } from './support.ts';

type Case = readonly [synopses: readonly string[], felt: readonly string[], unfelt: readonly string[]];

const CASES: readonly Case[] = [
  [
    ['rm ...'],
    [
      'rm -rf /srv',
      'sudo rm x',
      'nohup sudo -u app rm x',
      "bash -c 'id; rm x'",
      '/bin/rm x',
      'env A=1 rm x',
      'find / -exec rm {} +',
      'xargs rm',
      'ls; rm x',
      'echo $(rm x)',
      'A=1 rm x',
      'rm',
      'cat $x',
      'if true; then rm x; fi',
    ],
    ['grep rm /var/log/syslog', 'echo rm', 'ls /bin/rm', 'rmdir x'],
  ],
  [['mkfs* ...'], ['mkfs.ext4 /dev/sda', 'mkfs /dev/sda', '/sbin/mkfs.xfs x'], ['ls mkfs', 'makefs x']],
  [['/sbin/reboot'], ['reboot', '/sbin/reboot', '/usr/sbin/reboot'], ['reboot now', 'rebootx']],
  [
    ['chmod -R ...'],
    ['chmod -R 777 /', 'chmod 777 -R /', 'chmod --verbose -R x', 'chmod -vR x', 'chmod -cRv x', 'chmod *'],
    ['chmod 777 /', 'chmod x --', 'chmod -v 644 x'],
  ],
  [
    ['git push --force ...'],
    [
      'git push --force',
      'git push origin --force',
      'git -C /x push --force',
      'git push --forc origin',
      'git push -q --force',
      'git push --force=x',
    ],
    ['git push', 'git push origin main', 'git push --follow-tags', 'git pull --force'],
  ],
  [
    ['systemctl stop <name>'],
    [
      'systemctl stop x',
      'systemctl -q stop x',
      'systemctl -H host stop x',
      'systemctl --now stop x',
      'systemctl stop x --no-block',
      'systemctl stop *',
    ],
    ['systemctl status x', 'systemctl stop', 'systemctl restart stop'],
  ],
  [
    ['docker run --privileged ...'],
    ['docker run --privileged x', 'docker run -it --privileged x y', 'docker run x --privileged'],
    ['docker run x', 'docker ps --privileged'],
  ],
  [
    ['cat <path:/etc/**>'],
    ['cat /etc/passwd', 'cat /etc/*', 'cat /*', 'cat -n /etc/passwd', 'cat /srv/../etc/passwd', 'cat /etc//passwd'],
    ['cat /srv/x', 'cat /srv/*', 'cat etc/passwd'],
  ],
  [
    ['tar (-x) (-f <any>) ...'],
    ['tar -xf a.tar', 'tar -x -f a', 'tar -f a -x', 'tar -xvfa', 'tar -vxf a b', 'tar -v*'],
    ['tar -tf a', 'tar -xv', 'tar x'],
  ],
  [['head -n <int:1000..9999>'], ['head -n 5000', 'head -n5000', 'head -q -n 5000'], ['head -n 5', 'head -5000']],
  [
    ['sudo <command>', 'shutdown ...'],
    ['sudo shutdown', 'shutdown now', 'sudo -u x shutdown'],
    ['sudo true', 'true shutdown'],
  ],
  [['/opt/asroot <command>', 'shutdown ...'], ['/opt/asroot shutdown now', 'asroot -x shutdown'], ['/opt/asroot true']],
  [['ls {a,b}c'], ['ls ac', 'ls a*', 'ls *', 'ls -l bc'], ['ls dc', 'ls b']],
  [['sort -o <any> ...'], ['sort -o x', 'sort x -o y', 'sort x -oy'], ['sort x y', 'sort -r x']],
  [['sort -o <any>'], ['sort -o x', 'sort -ox', 'sort -ro x', 'sort -rox'], ['sort x', 'sort -r x', 'sort x -o y']],
  [
    ['find <any> -delete'],
    ['find /x -delete', 'find /x -name y -delete', 'find -delete'],
    ['find /x -name delete', 'find /x'],
  ],
];

test.each(CASES)('%s restrains what it may mean, and leaves the rest', (synopses, felt, unfelt) => {
  const rule = ruleOf(...synopses);
  const texts = [...felt, ...unfelt];
  const expected = {
    ...Object.fromEntries(felt.map(text => [text, true])),
    ...Object.fromEntries(unfelt.map(text => [text, false])),
  };
  expect(Object.fromEntries(texts.map(text => [text, isFelt(rule, text)]))).toEqual(expected);
});
