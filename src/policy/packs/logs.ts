import type { Pack } from './pack.ts';
import { ANY, AWK, CAT, CUT, FOLLOW, GREP, GREP_FILES, HEAD, SED_PRINT, SORT, TAIL, UNIQ, WC } from './words.ts';

const FILE = '<path:{$root}/**>';
const FILES = `${FILE}...`;
const WHOLE = '<re:[-+]?[0-9]{1,9}>';

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
        `cut ${CUT} ${FILES}`,
        `sort ${SORT} ${FILES}`,
        `uniq ${UNIQ} ${FILE}`,
        `find ${FILES} [-maxdepth <int> -type {f,d} -empty -size <re:[-+]?[0-9]+[bcwkMG]?> -mtime ${WHOLE} -mmin ${WHOLE} -name ${ANY} -iname ${ANY} -print -ls]...`,
        `wc ${WC} ${FILES}`,
        `sed (-n|--quiet) [-E|--regexp-extended] ${SED_PRINT} ${FILES}`,
        `sed (-n|--quiet) [-E|--regexp-extended] (-e|--expression ${SED_PRINT})... ${FILES}`,
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
    "cut -d' ' -f1 /var/log/nginx/access.log",
    "find /var/log -name '*.log' -mtime -1 -size +100M",
    "sed -n '100,120p' /var/log/syslog",
    "sed -n -e '100,120p' -e '/ERROR/p' /var/log/syslog",
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
    'sort -o /var/log/x /var/log/syslog',
    'uniq /var/log/a /var/log/b',
    'find /var/log -delete',
    'find /var/log -exec id {} +',
    'find /var/log -fprint /tmp/x',
    'find / -name x',
    'find -L /var/log',
    'truncate -s 0 /var/log/syslog',
    'tail --pid=1 /var/log/syslog',
    'sed -n 1w/tmp/x /var/log/syslog',
    'sed -n -e 1p -e 1w/tmp/x /var/log/syslog',
    'sed -n -e 1p -i /var/log/syslog',
    'sed -n -e 1p /etc/shadow',
  ],
};
