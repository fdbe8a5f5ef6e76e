import type { Pack } from './pack.ts';
import { HOST } from './words.ts';

const AT = `-h|--host ${HOST} -p|--port <int:1..65535>`;

/** Whether databases answer. No query, no password, no file. */
export const DB_PING: Pack = {
  name: 'db-ping',
  summary: 'Whether PostgreSQL, MySQL, Redis and their kin answer, and how large they are.',
  sets: [
    {
      commands: [
        `pg_isready [-q|--quiet ${AT} -d|--dbname <name> -U|--username <name> -t|--timeout <int:0..60>]`,
        `psql <with -X -w> (-l|--list) [${AT} -U|--username <name>]`,
        `{mysqladmin,mariadb-admin} [-h|--host ${HOST} -P|--port <int:1..65535> -u|--user <name> --connect-timeout=<int:1..60>] {ping,status,version}`,
        `redis-cli [-h ${HOST} -p <int:1..65535>] {ping,PING,dbsize,DBSIZE,lastsave,LASTSAVE,role,ROLE}`,
        `redis-cli [-h ${HOST} -p <int:1..65535>] {info,INFO} [{server,clients,memory,persistence,stats,replication,cpu,keyspace}]`,
      ],
    },
  ],
  match: [
    'pg_isready',
    'pg_isready -h localhost -p 5432 -q',
    'psql -l',
    'mysqladmin ping',
    'mysqladmin -h db.internal status',
    'redis-cli ping',
    'redis-cli -h 127.0.0.1 -p 6379 info memory',
  ],
  not_match: [
    "psql -c 'select 1'",
    'psql',
    'psql -l -f /tmp/x',
    'psql -lo /tmp/x',
    'psql -l -v x=1',
    'psql -lL /tmp/x',
    "pg_isready -d 'host=evil passfile=/etc/shadow'",
    'mysqladmin shutdown',
    'mysqladmin flush-hosts',
    'mysqladmin --defaults-file=/tmp/x ping',
    'mysqladmin -psecret ping',
    'mysqladmin ping shutdown',
    'redis-cli flushall',
    'redis-cli config get dir',
    'redis-cli ping -x',
    'redis-cli --eval /tmp/x.lua',
    'redis-cli -a secret ping',
    'redis-cli --rdb /tmp/x',
    'redis-cli keys x',
    'mysql',
  ],
};
