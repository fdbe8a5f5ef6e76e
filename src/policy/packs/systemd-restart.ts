import type { Pack } from './pack.ts';

const DO = '{restart,reload,try-restart,reload-or-restart,status,is-active} {$units}{,.service}';

/** A few units, restarted or reloaded, by the account itself or through sudo. */
export const SYSTEMD_RESTART: Pack = {
  name: 'systemd-restart',
  summary: 'Restarts and reloads the units given, and shows their state.',
  parameter: { name: 'units', of: 'names', example: 'nginx,app' },
  sets: [
    {
      commands: [
        `systemctl <with --no-pager --no-ask-password> [--no-pager --no-block] ${DO}`,
        `sudo <with -n> [-n|--non-interactive] systemctl [--no-pager --no-block] ${DO}`,
      ],
    },
  ],
  match: [
    'systemctl restart nginx',
    'systemctl reload app.service',
    'sudo systemctl restart nginx',
    'sudo -n systemctl reload-or-restart app',
    'sudo systemctl --no-pager status nginx',
    'systemctl is-active app',
  ],
  not_match: [
    'systemctl restart sshd',
    'systemctl restart nginx sshd',
    'systemctl stop nginx',
    'systemctl disable nginx',
    'systemctl mask nginx',
    "systemctl restart 'nginx*'",
    'systemctl restart nginx.socket',
    'systemctl -H evil restart nginx',
    'sudo -u root systemctl restart nginx',
    'sudo -s',
    'sudo -i systemctl restart nginx',
    'sudo systemctl edit nginx',
    'sudo /tmp/systemctl restart nginx',
    'sudo SYSTEMD_EDITOR=id systemctl restart nginx',
    'sudo systemctl restart nginx -n',
    'sudo sudo systemctl restart nginx',
    'sudo id',
  ],
};
