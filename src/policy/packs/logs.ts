import type { Pack } from './pack.ts';
import { ANY, AWK, CAT, FOLLOW, GREP, GREP_FILES, HEAD, SED_PRINT, TAIL, WC } from './words.ts';

const FILES = '<path:{$root}/**>...';

/** Log files: read, searched, counted and followed. */
export const LOGS: Pack = {
  name: 'logs',
  summary: 'Reads, searches and follows log files below the folders given, /var/log when none is.',
  parameter: { name: 'root', of: 'folders', example: '/var/log', fallback: '/var/log' },
  sets: [
    {
      commands: [
        `cat ${CAT} ${FILES}`,
        `head ${HEAD} ${FILES}`,
        `tail ${TAIL} ${FOLLOW} ${FILES}`,
        `grep ${GREP} ${GREP_FILES} [-r|--recursive] ${ANY} ${FILES}`,
        `grep ${GREP} ${GREP_FILES} [-r|--recursive] (-e|--regexp ${ANY})... ${FILES}`,
        `{zcat,bzcat,xzcat,tac} ${FILES}`,
        `wc ${WC} ${FILES}`,
        `sed (-n|--quiet) [-E|--regexp-extended] ${SED_PRINT} ${FILES}`,
        `awk ${AWK} ${FILES}`,
        `ls [-l -a -A -h -t -r -S -1 -R -d --full-time --time-style=long-iso --color=never] ${FILES}`,
        `stat [-c|--format ${ANY}] ${FILES}`,
        `du [-s|--summarize -h|--human-readable -c|--total -a|--all -d|--max-depth <int>] ${FILES}`,
      ],
    },
  ],
  match: [
    'tail -n 200 /var/log/nginx/error.log',
    'tail -F /var/log/syslog',
    'cat /var/log/syslog /var/log/auth.log',
    'grep -i error /var/log/nginx/*.log',
    'zcat /var/log/syslog.*.gz',
    'ls -lht /var/log',
    'du -sh /var/log/*',
    "sed -n '100,120p' /var/log/syslog",
  ],
  not_match: [
    'tail -n 5 /etc/shadow',
    'tail /var/log/../../etc/shadow',
    'cat /var/logs/x',
    'cat /var/log*',
    'grep -f /etc/shadow /var/log/syslog',
    'grep -R x /var/log',
    'zgrep x /var/log/a.gz',
    'less /var/log/syslog',
    'truncate -s 0 /var/log/syslog',
    'tail --pid=1 /var/log/syslog',
    'sed -n 1w/tmp/x /var/log/syslog',
  ],
};
