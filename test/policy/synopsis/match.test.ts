import { describe, expect, test } from 'vitest';
import { answer, ruleOf } from './support.ts';

type Case = readonly [synopsis: string, granted: readonly string[], refused: Readonly<Record<string, string>>];

const WORDS: readonly Case[] = [
  [
    'uptime',
    ['uptime', "'uptime'"],
    {
      'uptime -p': '1: "-p" is not an option of this synopsis',
      'uptime x': '1: "x" is not expected here',
      'uptime --': '1: -- is not written in the synopsis',
      Uptime: '0: no synopsis names this program',
      '/usr/bin/uptime': '0: no synopsis names this program',
      "' uptime'": '0: no synopsis names this program',
    },
  ],
  [
    'x {a,b}',
    ['x a', 'x b'],
    {
      x: '1: {a,b} is missing',
      'x c': '1: "c" is not {a,b}',
      'x a b': '2: "b" is not expected here',
      'x ab': '1: "ab" is not {a,b}',
    },
  ],
  [
    'x {nginx,app}{,.service}',
    ['x nginx', 'x app.service'],
    {
      'x .service': '1: ".service" is not {nginx,app}{,.service}',
      'x nginx.socket': '1: "nginx.socket" is not {nginx,app}{,.service}',
    },
  ],
  ['x app-*', ['x app-1', 'x app-'], { 'x app-1/2': '1: "app-1/2" is not app-*', 'x ap': '1: "ap" is not app-*' }],
  [
    'x /srv/*',
    ['x /srv/a'],
    { 'x /srv/..': '1: "/srv/.." is not /srv/*', 'x /srv/a/b': '1: "/srv/a/b" is not /srv/*' },
  ],
  [
    'x *.log',
    ['x a.log'],
    { 'x -a.log': '1: "-a" is not an option of this synopsis', 'x -- -a.log': '2: "-a.log" is not *.log' },
  ],
  ["x '*' 'a b' '' '...'", ["x '*' 'a b' '' ..."], { 'x y': `1: "y" is not '*'` }],
  [
    'x <int:1..500>',
    ['x 1', 'x 500'],
    {
      'x 0': '1: "0" is not <int:1..500>',
      'x 501': '1: "501" is not <int:1..500>',
      'x 007': '1: "007" is not <int:1..500>',
      'x +5': '1: "+5" is not <int:1..500>',
      'x 5x': '1: "5x" is not <int:1..500>',
      "x '5 '": '1: "5 " is not <int:1..500>',
      "x ''": '1: "" is not <int:1..500>',
      'x 1e2': '1: "1e2" is not <int:1..500>',
      'x 99999999999999999999': '1: "99999999999999999999" is not <int:1..500>',
    },
  ],
  [
    'x <name>',
    ['x a', 'x user@1000.service', 'x a:b', 'x A_b-c'],
    {
      'x -a': '1: "-a" is not an option of this synopsis',
      'x a/b': '1: "a/b" is not <name>',
      "x ''": '1: "" is not <name>',
      'x ..': '1: ".." is not <name>',
      "x 'a b'": '1: "a b" is not <name>',
      "x 'ä'": '1: "ä" is not <name>',
    },
  ],
  [
    'x <duration>',
    ['x 5', 'x 5s', 'x 0.5h', 'x 1h30m', 'x 200ms'],
    {
      'x s': '1: "s" is not <duration>',
      'x 5x': '1: "5x" is not <duration>',
      "x ''": '1: "" is not <duration>',
      'x 5s5': 'yes',
    },
  ],
  [
    'x <any>',
    ['x a', "x ''", "x 'a b;$(c)'"],
    {
      'x -a': '1: "-a" is not an option of this synopsis',
      'x -': '1: "-" is not <any>',
      'x -- -a': '2: "-a" is not <any>',
    },
  ],
  ['x <re:[a-z]+>', ['x abc'], { 'x abc1': '1: "abc1" is not <re:[a-z]+>', 'x 1abc': '1: "1abc" is not <re:[a-z]+>' }],
  [
    'x <re:[-a-z]+>',
    ['x a-b'],
    { 'x -- -rf': '2: "-rf" is not <re:[-a-z]+>', 'x -rf': '1: "-r" is not an option of this synopsis' },
  ],
  [
    'x <relpath>',
    ['x a', 'x a/b', 'x .', 'x ./a', 'x a..b'],
    {
      'x /a': '1: "/a" is not <relpath>',
      "x '~/a'": '1: "~/a" is not <relpath>',
      'x ../a': '1: "../a" is not <relpath>',
      'x a/..': '1: "a/.." is not <relpath>',
      "x ''": '1: "" is not <relpath>',
    },
  ],
  [
    'x <relpath:src/**>',
    ['x src', 'x src/a', 'x ./src/a'],
    { 'x a': '1: "a" is not <relpath:src/**>', 'x src/../a': '1: "src/../a" is not <relpath:src/**>' },
  ],
  [
    'x @<path:/srv/**>.gz',
    ['x @/srv/a.gz'],
    {
      'x @/etc/a.gz': '1: "@/etc/a.gz" is not @<path:/srv/**>.gz',
      'x @/srv/a': '1: "@/srv/a" is not @<path:/srv/**>.gz',
    },
  ],
  ['x /srv/.<relpath>', ['x /srv/.a'], { 'x /srv/../etc': '1: "/srv/../etc" is not /srv/.<relpath>' }],
  ['x /srv/<any>', ['x /srv/a', 'x /srv/a/b'], { 'x /srv/../etc/shadow': '1: "/srv/../etc/shadow" is not /srv/<any>' }],
];

const PATHS: readonly Case[] = [
  [
    'x <path:/var/log/**>',
    [
      'x /var/log',
      'x /var/log/',
      'x /var/log/a',
      'x /var/log/a/b',
      'x /var/log//a',
      'x /var/log/./a',
      'x /var//log/a',
      'x /var/log/a..b',
      "x '/var/log/*'",
      'x /var/log/-x',
      'x /var/log/.a',
    ],
    {
      'x /var/logs': '1: "/var/logs" is not <path:/var/log/**>',
      'x /var/log/../x': '1: "/var/log/../x" is not <path:/var/log/**>',
      'x /var/log/..': '1: "/var/log/.." is not <path:/var/log/**>',
      'x //var/log/a': '1: "//var/log/a" is not <path:/var/log/**>',
      'x var/log/a': '1: "var/log/a" is not <path:/var/log/**>',
      "x ''": '1: "" is not <path:/var/log/**>',
      'x /var': '1: "/var" is not <path:/var/log/**>',
      'x /etc/var/log/a': '1: "/etc/var/log/a" is not <path:/var/log/**>',
    },
  ],
  [
    'x <path:/srv/*/log/*.gz>',
    ['x /srv/a/log/b.gz', 'x /srv/.a/log/.gz'],
    {
      'x /srv/a/b/log/c.gz': '1: "/srv/a/b/log/c.gz" is not <path:/srv/*/log/*.gz>',
      'x /srv/a/log/b': '1: "/srv/a/log/b" is not <path:/srv/*/log/*.gz>',
    },
  ],
  [
    'x <path:/srv/**/log/a?>',
    ['x /srv/log/ab', 'x /srv/a/b/log/ab'],
    { 'x /srv/log/a': '1: "/srv/log/a" is not <path:/srv/**/log/a?>' },
  ],
  [
    'x <path:{/srv/**,/etc/hosts}>',
    ['x /srv/a', 'x /etc/hosts'],
    {
      'x /etc/hosts/a': '1: "/etc/hosts/a" is not <path:{/srv/**,/etc/hosts}>',
      'x /etc/passwd': '1: "/etc/passwd" is not <path:{/srv/**,/etc/hosts}>',
    },
  ],
  ['x <path:/**>', ['x /', 'x /etc'], { 'x //': '1: "//" is not <path:/**>' }],
  [
    'x [<path:/srv/**>]...',
    ['x /srv/*', 'x /srv/a/*.log', 'x /srv/a /srv/?', 'x /srv/a[0-9]', 'x /srv/*/b'],
    {
      'x /s*': '1: a pattern stands for any number of words, and this place does not take any number of paths',
      'x /srv*': '1: a pattern stands for any number of words, and this place does not take any number of paths',
      'x /etc/*': '1: a pattern stands for any number of words, and this place does not take any number of paths',
      'x *': '1: a pattern stands for any number of words, and this place does not take any number of paths',
      'x /srv/.*': '1: a pattern stands for any number of words, and this place does not take any number of paths',
      'x /srv/.?': '1: a pattern stands for any number of words, and this place does not take any number of paths',
      'x /srv/*/../a': '1: a pattern stands for any number of words, and this place does not take any number of paths',
    },
  ],
  [
    'x <path:/srv/**> [<path:/srv/**>]',
    ['x /srv/a'],
    {
      'x /srv/*': '1: a pattern stands for any number of words, and this place does not take any number of paths',
      'x /srv/a /srv/*':
        '2: a pattern stands for any number of words, and this place does not take any number of paths',
    },
  ],
  [
    'x [<path:/srv/**>]...2',
    ['x /srv/a /srv/b'],
    {
      'x /srv/*': '1: a pattern stands for any number of words, and this place does not take any number of paths',
    },
  ],
  [
    'x <any> <path:/srv/**>...',
    ['x a /srv/*'],
    {
      'x /srv/* /srv/a':
        '1: a pattern stands for any number of words, and this place does not take any number of paths',
    },
  ],
  [
    'x [-f <path:/srv/**>] <path:/srv/**>...',
    ['x -f /srv/a /srv/*'],
    { 'x -f /srv/* /srv/a': '2: "/srv/" is not <path:/srv/**>' },
  ],
  [
    'x <path:/srv/**>... <name>',
    ['x /srv/a b'],
    { 'x /srv/* b': '1: a pattern stands for any number of words, and this place does not take any number of paths' },
  ],
  [
    'x [<path:/srv/*>]...',
    ['x /srv/a'],
    { 'x /srv/*': '1: a pattern stands for any number of words, and this place does not take any number of paths' },
  ],
  [
    'x ...',
    ['x a -b --c=d'],
    { 'x /srv/*': '1: a pattern stands for any number of words, and this place does not take any number of paths' },
  ],
];

const OPTIONS: readonly Case[] = [
  [
    'ls [-l -a -h] [<name>]...',
    ['ls', 'ls -l', 'ls -lah', 'ls -l -a', 'ls x -l y', 'ls -- x', 'ls x -- y'],
    {
      'ls -lR': '1: "-R" is not an option of this synopsis',
      'ls -l -l': '2: "-l" is given twice',
      'ls -ll': '1: "-l" is given twice',
      'ls x -R': '2: "-R" is not an option of this synopsis',
      'ls -- -l': '2: "-l" is not <name>',
      'ls --': '1: -- is not written in the synopsis',
      'ls -- x -- y': '3: "--" is not <name>',
      'ls -': '1: "-" is not <name>',
    },
  ],
  ['ls [-v]... [-q]', ['ls -vvv -v -q', 'ls -vqv'], { 'ls -qq': '1: "-q" is given twice' }],
  [
    'tail [-n|--lines <int:1..500>] [-F] <name>...',
    ['tail -n 5 x', 'tail -n5 x', 'tail --lines=5 x', 'tail --lines 5 x', 'tail -Fn5 x', 'tail -Fn 5 x', 'tail x -n 5'],
    {
      'tail -n 501 x': '2: "501" is not <int:1..500>',
      'tail -n -5 x': '2: "-5" is not <int:1..500>',
      'tail -n x': '2: "x" is not <int:1..500>',
      'tail x -n': '3: <int:1..500> is missing after -n|--lines',
      'tail -n5 --lines=5 x': '2: "--lines=5" is given twice',
      'tail --line=5 x': '1: "--line=5" is not an option of this synopsis',
      'tail --lines= x': '1: "" is not <int:1..500>',
      'tail -nF x': '1: "F" is not <int:1..500>',
      'tail -F5 x': '1: "-5" is not an option of this synopsis',
      'tail -n=5 x': '1: "=5" is not <int:1..500>',
      'tail --F x': '1: "--F" is not an option of this synopsis',
    },
  ],
  [
    'x [--since <re:[-a-z0-9 ]+>]',
    ['x --since -2h', "x --since '-2 hours'", 'x --since=-rf', 'x --since -5'],
    {
      'x --since -rf': '2: "-rf" is not <re:[-a-z0-9 ]+>',
      'x --since -2rf': '2: "-2rf" is not <re:[-a-z0-9 ]+>',
      'x --since --since': '2: "--since" is not <re:[-a-z0-9 ]+>',
    },
  ],
  ['x [-p {-u=s,0777}]', ['x -p -u=s', 'x -p 0777'], { 'x -p -u+s': '2: "-u+s" is not {-u=s,0777}' }],
  [
    'head [-<int:1..99>] [-q] <name>',
    ['head -5 x', 'head -q -5 x', 'head x -5'],
    {
      'head -0 x': '1: "-0" is not an option of this synopsis',
      'head -5 -6 x': '2: "-6" is given twice',
      'head -5q x': '1: "-5" is not an option of this synopsis',
    },
  ],
  [
    'x [--color={never,auto}] [--sort=-%cpu]',
    ['x --color=never', 'x --sort=-%cpu'],
    {
      'x --color never': '1: "--color" is not an option of this synopsis',
      'x --color': '1: "--color" is not an option of this synopsis',
      'x --color=x': '1: "--color=x" is not an option of this synopsis',
      'x --sort=cpu': '1: "--sort=cpu" is not an option of this synopsis',
      'x --color=never --color=auto': '2: "--color=auto" is given twice',
    },
  ],
  [
    'x [-U<int>] [-u{no,all}] [-a]',
    ['x -U5', 'x -uno', 'x -aU5', 'x -auno -U5'],
    {
      'x -U 5': '1: "-U" is not an option of this synopsis',
      'x -una': '1: "na" is not -u{no,all}',
      'x -Ua': '1: "a" is not -U<int>',
    },
  ],
  [
    'x [-b [<re:-?[0-9]+>]] [-q]',
    ['x -b', 'x -b 0', 'x -b -1', 'x -b-1', 'x -b -q', 'x -qb'],
    { 'x -b x': '2: "x" is not expected here', 'x -bq': '1: "q" is not <re:-?[0-9]+>' },
  ],
  ['x [--when [{a,b}]]', ['x --when', 'x --when=a', 'x --when b'], { 'x --when=c': '1: "c" is not {a,b}' }],
  [
    'tar (-t|--list) (-f <path:/srv/**>) [-v]',
    ['tar -t -f /srv/a', 'tar -tvf /srv/a', 'tar -f/srv/a -t', 'tar --list -f /srv/a'],
    {
      tar: '1: -t|--list is missing',
      'tar -t': '2: -f is missing',
      'tar -tf': '2: <path:/srv/**> is missing after -f',
      'tar -ft /srv/a': '1: "t" is not <path:/srv/**>',
      'tar tf /srv/a': '1: "tf" is not expected here',
    },
  ],
  [
    'uname {-a,-r}',
    ['uname -a', 'uname -r'],
    { uname: '1: {-a,-r} is missing', 'uname -ar': '1: "-r" is given twice' },
  ],
  [
    'git pull --ff-only [origin [main]]',
    ['git pull --ff-only', 'git pull --ff-only origin main'],
    {
      'git pull': '2: --ff-only is missing',
      'git pull --ff-only main': '3: "main" is not origin',
      'git pull origin main': '4: --ff-only is missing',
    },
  ],
  ['x (-e <any>)... [<name>]', ['x -e a', 'x -e a -eb c'], { 'x a': '2: -e is missing' }],
  [
    'x [-in <name>] [-a -b]',
    ['x -in y', 'x -a -b'],
    {
      'x -ab': '1: "-ab" is not an option of this synopsis',
      'x -iny': '1: "-iny" is not an option of this synopsis',
      'x -in=y': '1: "-in=y" is not an option of this synopsis',
      'x -- y': '1: -- is not written in the synopsis',
    },
  ],
  ['x [-]... [<name>]', ['x - -', 'x - a'], { 'x a -': '2: "-" is not expected here' }],
  [
    'x [-w=false -A]',
    ['x -w=false', 'x -A'],
    { 'x -Aw': '1: "-w" is not an option of this synopsis', 'x -w': '1: "-w" is not an option of this synopsis' },
  ],
];

/** An option outside brackets and the word after it: a flag and an operand, or an option and its value? Both must hold. */
const PAIRS: readonly Case[] = [
  [
    'journalctl -u <name> [-n <int>] [--no-pager]',
    ['journalctl -u nginx', 'journalctl -n 5 -u nginx', 'journalctl --no-pager -u nginx -n5'],
    {
      'journalctl -unginx': '1: "-unginx" is not an option of this synopsis',
      'journalctl nginx -u': '1: "nginx" is not -u <name>',
      'journalctl -u': '2: <name> is missing after -u',
      'journalctl -u nginx -u app': '3: "-u" does not stand here',
      journalctl: '1: -u <name> is missing',
    },
  ],
  [
    'sort -r <name>',
    ['sort -r x'],
    { 'sort -rox': '1: "-rox" is not an option of this synopsis', 'sort x -r': '1: "x" is not -r <name>' },
  ],
  [
    'systemctl --no-pager {status,show} <name>',
    ['systemctl --no-pager status x'],
    { 'systemctl reboot --no-pager status': '1: "reboot" is not --no-pager {status,show}' },
  ],
  [
    'sudo -n systemctl restart {nginx,app}',
    ['sudo -n systemctl restart app'],
    {
      'sudo systemctl restart app': '1: "systemctl" is not -n systemctl',
      'sudo restart -n systemctl app': '1: "restart" is not -n systemctl',
      'sudo -nsystemctl restart app': '1: "-nsystemctl" is not an option of this synopsis',
    },
  ],
  [
    'docker logs --tail <int:1..50> <name>',
    ['docker logs --tail 50 x', 'docker logs --tail=50 x'],
    {
      'docker logs x --tail 50': '2: "x" is not --tail <int:1..50>',
      'docker logs --tail 51 x': '3: "51" is not <int:1..50>',
    },
  ],
  ['head -n <int>', ['head -n 5', 'head -n5'], {}],
  [
    "'[' {-f,-d} <path:/srv/**> ']'",
    ['[ -f /srv/a ]', '[ -d /srv ]'],
    {
      '[ -f /srv/a': "3: ']' is missing",
      '[ -v /srv/a ]': '1: "-v" is not an option of this synopsis',
      '[ /srv/a ]': '1: "/srv/a" is not {-f,-d} <path:/srv/**>',
      '[': '1: {-f,-d} <path:/srv/**> is missing',
    },
  ],
];

const ORDER: readonly Case[] = [
  [
    'systemctl [--no-pager] {status,show} <name>...',
    ['systemctl --no-pager status x', 'systemctl status x --no-pager', 'systemctl status --no-pager x y'],
    {
      'systemctl x status': '1: "x" is not {status,show}',
      'systemctl status --host=x y': '2: "--host=x" is not an option of this synopsis',
    },
  ],
  [
    'kubectl [-n <name>] get pods [-o {wide}]',
    ['kubectl get pods -n x -o wide', 'kubectl -n x get pods'],
    { 'kubectl -o wide get pods': '1: "-o" does not stand here' },
  ],
  [
    'git [-p] fetch origin',
    ['git -p fetch origin'],
    {
      'git fetch -p origin': '2: "-p" does not stand here',
      'git fetch -- origin': '2: -- is not written in the synopsis',
    },
  ],
  [
    'git [-C <path:/srv/**>] log [--oneline] [<name>]... [-- <relpath>...]',
    ['git -C /srv/a log --oneline x', 'git log x --oneline', 'git log -- a b'],
    {
      'git log -C /srv/a': '2: "-C" does not stand here',
      'git log --': '3: <relpath> is missing',
      'git log -- --oneline': '3: "--oneline" is not <relpath>',
    },
  ],
  [
    'find <path:/srv/**>... [-name <any>]... [-print]',
    ["find /srv/a /srv/b -name '*.js' -print", 'find /srv/a -name a -name b'],
    {
      'find -name a /srv/a': '1: "-name" does not stand here',
      'find /srv/a -name a /srv/b': '4: "/srv/b" is not expected here',
      'find /srv/a -exec id': '2: "-exec" is not an option of this synopsis',
      'find /srv/a -delete': '2: "-delete" is not an option of this synopsis',
    },
  ],
  ['x [a]... b [-v]', ['x b', 'x a a b -v'], { 'x -v b': '1: "-v" does not stand here' }],
  ['x <name>...3', ['x a', 'x a b c'], { x: '1: <name> is missing', 'x a b c d': '4: "d" is not expected here' }],
  ['x [<name>]...2 [<int:0..9>/]', ['x', 'x a b', 'x a b 5/', 'x 5/'], { 'x a b c': '3: "c" is not <int:0..9>/' }],
  ['x [a b]... c', ['x c', 'x a b a b c'], { 'x a c': '2: "c" is not b' }],
  ['x [a [-f]]... [b]...', ['x a a b b', 'x a -f b'], { 'x b a': '2: "a" is not b' }],
  [
    'git status ...',
    ['git status', 'git status -x --y z'],
    { git: '1: status is missing', 'git push': '1: "push" is not status' },
  ],
  ['git log [<name>]...', ['git log x'], { 'git log -- x': '2: -- is not written in the synopsis' }],
  ['printf <re:[a-z-]+>', ['printf x'], { 'printf -- x': '1: -- is not written in the synopsis' }],
  ['git --no-pager log [-p]', ['git --no-pager log -p'], { 'git -p --no-pager log': '1: "-p" does not stand here' }],
  [
    'find -L <path:/srv/**> [-name <any>]',
    ['find -L /srv/a -name b'],
    { 'find -name b -L /srv/a': '1: "-name" does not stand here' },
  ],
  ['tar -t ...', ['tar -t', 'tar -t -x'], { 'tar x -t': '1: "x" is not expected here', tar: '1: -t is missing' }],
];

const COMMANDS: readonly Case[] = [
  [
    'timeout [-k <duration>] <duration> <command>',
    [
      'timeout 5 true',
      'timeout -k 2 5 true',
      'timeout 5 timeout 5 true',
      'timeout 5 timeout 5 timeout 5 true',
      'timeout -- 5 true',
    ],
    {
      'timeout 5': '2: <command> is missing',
      'timeout true': '1: "true" is not <duration>',
      'timeout 5 id': '2: no synopsis names this program',
      'timeout 5 -k 2 true': '2: "-k" does not stand here',
      'timeout 5 timeout 5 timeout 5 timeout 5 true': '8: it is nested too deeply',
      'timeout 5 true x': '3: "x" is not expected here',
    },
  ],
  [
    'sudo [-n] <command>',
    ['sudo true', 'sudo -n true', 'sudo -n -- true'],
    {
      'sudo -s': '1: "-s" is not an option of this synopsis',
      'sudo true -n': '2: "-n" is not an option of this synopsis',
      'sudo -u root true': '1: "-u" is not an option of this synopsis',
    },
  ],
  [
    'env [{LC_ALL=C,TZ=UTC}]... <command>',
    ['env true', 'env LC_ALL=C TZ=UTC true'],
    {
      'env PATH=/tmp true': '1: no synopsis names this program',
      'env -i true': '1: "-i" is not an option of this synopsis',
      env: '1: {LC_ALL=C,TZ=UTC} or <command> is missing',
    },
  ],
  ['sudo (-n) <command>', ['sudo -n true'], { 'sudo true': '1: "true" is not <command>' }],
];

for (const [title, cases] of Object.entries({
  words: WORDS,
  paths: PATHS,
  options: OPTIONS,
  pairs: PAIRS,
  order: ORDER,
  commands: COMMANDS,
}))
  describe(title, () => {
    test.each(cases)('%s grants what it says and nothing else', (synopsis, granted, refused) => {
      const rule = ruleOf(synopsis, ...(title === 'commands' ? ['true'] : []));
      const texts = [...granted, ...Object.keys(refused)];
      const expected = { ...Object.fromEntries(granted.map(text => [text, 'yes'])), ...refused };
      expect(Object.fromEntries(texts.map(text => [text, answer(rule, text)]))).toEqual(expected);
    });
  });

test('an assignment, a pattern and a variable are never the name of a program', () => {
  const rule = ruleOf('x* ...');
  expect(['x1', 'xy z'].map(text => answer(rule, text))).toEqual(['yes', 'yes']);
  expect(answer(rule, 'ax')).toBe('0: no synopsis names this program');
});
