import type { Pack } from './pack.ts';
import { ANY, NAMES, TIME, UNIT } from './words.ts';

const OPTIONS =
  '[--no-pager -l|--full -q|--quiet -a|--all --failed --plain --no-legend -n|--lines <int> -r|--recursive --reverse --value ' +
  '-t|--type {service,timer,socket,mount,target,path,slice,scope,device,swap} --state <re:[a-z-]+(,[a-z-]+)*> ' +
  `-p|--property ${NAMES} -o|--output {short,short-iso,cat,json,verbose} --after --before --user]`;
const SYSTEMCTL = `systemctl <with --no-pager> ${OPTIONS}`;

const PRIORITY = '(?:[0-7]|emerg|alert|crit|err|warning|notice|info|debug)';
const FORMAT =
  '{short,short-iso,short-iso-precise,short-precise,short-full,short-monotonic,short-unix,cat,json,json-pretty,verbose,with-unit}';

/** The state of units and what they wrote to the journal. */
export const SYSTEMD_READ: Pack = {
  name: 'systemd-read',
  summary: 'The state and definition of units, and the journal.',
  sets: [
    {
      commands: [
        SYSTEMCTL,
        `${SYSTEMCTL} {status,show,cat,list-units,list-unit-files,list-timers,list-sockets,list-dependencies,list-jobs} [${UNIT}]...8`,
        `${SYSTEMCTL} {is-active,is-enabled,is-failed} ${UNIT}...8`,
        `${SYSTEMCTL} {is-system-running,get-default}`,
        `journalctl <with --no-pager> [--no-pager -r|--reverse -x|--catalog -e|--pager-end -k|--dmesg -b|--boot [<re:-?[0-9]{1,4}>] -q|--quiet --utc --no-hostname -a|--all --no-full -f|--follow --list-boots --disk-usage --user --system -n|--lines {<int>,all} -S|--since ${TIME} -U|--until ${TIME} -p|--priority <re:${PRIORITY}(?:[.]{2}${PRIORITY})?> -o|--output ${FORMAT} -g|--grep ${ANY} --case-sensitive --case-sensitive={true,false}] [-u|--unit ${UNIT} -t|--identifier <name>]... [<re:_?[A-Z][A-Z_]*=[A-Za-z0-9@._/-]+>]...4`,
        'systemd-analyze <with --no-pager> [{time,blame}]',
        `systemd-analyze <with --no-pager> critical-chain [${UNIT}]`,
        'loginctl <with --no-pager> [{list-sessions,list-users}]',
      ],
    },
  ],
  match: [
    'systemctl status nginx',
    'systemctl status nginx --no-pager -l',
    'systemctl --failed',
    'systemctl is-active nginx sshd',
    'systemctl show -p ExecStart,MainPID nginx',
    'systemctl cat nginx.service',
    'systemctl list-units --type=service --state=running,failed',
    'systemctl list-timers --all',
    "systemctl status 'nginx*'",
    'systemctl status user@1000.service',
    'journalctl -u nginx -n 100 --no-pager',
    'journalctl -u nginx -u app --since "1 hour ago" -p err',
    'journalctl -xeu nginx',
    'journalctl -b -1 -p warning..err',
    'journalctl -k -n50',
    "journalctl -u app -g 'timeout|refused' -o short-iso",
    'journalctl _SYSTEMD_UNIT=sshd.service -n 20',
    'journalctl -fu nginx',
    'systemd-analyze blame',
  ],
  not_match: [
    'systemctl restart nginx',
    'systemctl stop nginx',
    'systemctl daemon-reload',
    'systemctl edit nginx',
    'systemctl set-property nginx CPUQuota=1%',
    'systemctl -H evil status nginx',
    'systemctl --host=evil status nginx',
    'systemctl -M evil status nginx',
    'systemctl --root=/tmp status nginx',
    'systemctl kill nginx',
    'systemctl reboot',
    'systemctl isolate rescue.target',
    'systemctl status /etc/shadow',
    'systemctl link /tmp/x.service',
    'systemctl set-environment A=B',
    'systemctl --job-mode=x status nginx',
    'systemctl status --now nginx',
    'journalctl --vacuum-size=1K',
    'journalctl --vacuum-time=1s',
    'journalctl --rotate',
    'journalctl --flush',
    'journalctl --sync',
    'journalctl --setup-keys',
    'journalctl --file=/etc/shadow',
    'journalctl -D /tmp',
    'journalctl -qD/tmp -u nginx',
    'journalctl --root=/tmp',
    'journalctl --cursor-file=/tmp/x',
    'journalctl -M evil',
    'journalctl --update-catalog',
    'journalctl -u nginx --fi=/tmp/x',
    'systemd-analyze plot',
    'systemd-analyze set-log-level debug',
    'loginctl terminate-user root',
    'systemd-run id',
  ],
};
