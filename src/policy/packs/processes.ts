import type { Pack } from './pack.ts';

const COLUMNS =
  '%cpu %mem args cmd comm command cputime egid egroup etime etimes euid euser gid group lstart maj_flt min_flt ni nice nlwp ' +
  'pcpu pgid pgrp pid pmem ppid pri psr rss rssize ruser s sess sid size start start_time stat state stime sz thcount tid time ' +
  'tname tt tty ucmd uid uname user vsize vsz wchan';
const COLUMN = `(?:${COLUMNS.replaceAll(' ', '|')})`;
const PIDS = '<re:[0-9]{1,10}(,[0-9]{1,10})*>';

/** Processes and what they use. No column and no BSD letter that shows their environment. */
export const PROCESSES: Pack = {
  name: 'processes',
  summary: 'Which processes run, and how much processor, memory and input and output they use.',
  sets: [
    {
      commands: [
        `ps [-e -A -f -F -l -a -d -x -L -T -w --forest --no-headers -p|--pid ${PIDS} --ppid ${PIDS} -u|--user <name> -U <name> -C <name> --sort <re:[-+]?${COLUMN}(,[-+]?${COLUMN})*>] [-o|--format <re:${COLUMN}(,${COLUMN})*>]... [{aux,auxf,auxw,auxww,auxwwf,ax,axf,axu,u,x,xu,ef}]`,
        'pgrep [-a|--list-full -l|--list-name -f|--full -x|--exact -c|--count -n|--newest -o|--oldest -i|--ignore-case -u|--euid <name> -P|--parent <int>] <any>',
        'pgrep [-a|--list-full -l|--list-name -c|--count] (-u|--euid <name>)',
        'pidof [-s] <name>...4',
        'pstree [-p|--show-pids -a|--arguments -u|--uid-changes -s|--show-parents -n|--numeric-sort -l|--long -A|--ascii] [{<int>,<name>}]',
        `top (-b|--batch) (-n <int:1..10>) [-c -H -i -d <re:[0-9]{1,3}([.][0-9]{1,3})?> -o <re:[-+]?[A-Za-z%+]{1,12}> -p ${PIDS} -u <name> -w <int>]`,
        'free [-h|--human -b -k -m|--mebi -g|--gibi -w|--wide -t|--total -l|--lohi --si]',
        'vmstat [-s|--stats -d|--disk -D|--disk-sum -a|--active -m|--slabs -w|--wide -t|--timestamp -S {k,K,m,M}] [<int:1..60> <int:1..60>]',
        'iostat [-x -d -c -k -m -h -t -y -z -N] [<re:[a-z0-9]+>]...4',
        'mpstat [-P {ALL}] [<int:1..60> <int:1..60>]',
        'pidstat [-d -r -u -w -t -h -l -p <int>] [<int:1..60> <int:1..60>]',
        `lsof [-n -P -t -l -b -w -a -i [<re:(?:[46]|tcp|udp|TCP|UDP)?(?:@[A-Za-z0-9.-]+)?(?::[A-Za-z0-9,-]+)?>] -p ${PIDS} -u <name> -c <name>] [<path:/**>]...4`,
        'ipcs [-a -m -q -s -l -u -t -p]',
        'uptime',
      ],
    },
  ],
  match: [
    'ps aux',
    'ps -ef',
    'ps -eo pid,ppid,user,%cpu,%mem,cmd --sort=-%cpu',
    'ps -o pid,cmd -p 1',
    'ps -u www-data -f',
    'ps auxf',
    'pgrep -fa node',
    "pgrep -a 'nginx: (master|worker)'",
    'pidof nginx',
    'pstree -p',
    'top -bn1',
    'top -b -n 1 -o %MEM',
    'free -h',
    'free -m',
    'vmstat 1 5',
    'iostat -x 1 3',
    'lsof -nP -i :443',
    'lsof -i tcp:22',
    'lsof -p 1',
    'lsof /var/log/syslog',
  ],
  not_match: [
    'ps e',
    'ps auxe',
    'ps eww -p 1',
    'ps axeww',
    'ps -eo pid,environ',
    'ps -o environ',
    'top',
    'top -n 1',
    'top -bn1000',
    'top -b',
    'pgrep -F /etc/shadow',
    'pgrep --signal 9 x',
    'pkill nginx',
    'kill 1',
    'vmstat 1',
    'pidstat -e sh -c id',
    'pidstat -p ALL -e id',
    'lsof -D b/tmp/x',
    'lsof +r 1',
    'lsof -r1',
    'ipcrm -a',
    'ipcs -a -i 1 --human',
    'renice 1 2',
    'nice id',
    'free -s 1',
    'strace -p 1',
    'gdb -p 1',
  ],
};
