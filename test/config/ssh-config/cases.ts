/** One ssh_config, the files beside it, and the names that it has. */
export type Case = {
  readonly title: string;
  readonly config: string;
  readonly files?: Readonly<Record<string, string>>;
  readonly names: readonly string[];
};

/** `~` is the folder in which they lie, which is the home of whoever asks. */
export const CASES: readonly Case[] = [
  { title: 'one host', config: 'Host web\n HostName 10.0.0.5\n User deploy\n Port 2222\n', names: ['web'] },
  { title: 'several names on a line', config: 'Host a b c\n HostName 10.0.0.1\n', names: ['a', 'b', 'c'] },
  { title: 'an equals sign', config: 'Host=web\n HostName=10.0.0.5\n User = deploy\n', names: ['web'] },
  { title: 'tabs and blanks', config: '\t Host \t web\n\t\tHostName\t10.0.0.5\n', names: ['web'] },
  { title: 'other letters', config: 'hOST web\n hostNAME 10.0.0.5\n', names: ['web'] },
  { title: 'quotes', config: 'Host "web" \'db\'\n HostName "10.0.0.5"\n', names: ['web', 'db'] },
  { title: 'a quoted keyword', config: '"Host" web\n "HostName" 10.0.0.5\n', names: ['web'] },
  {
    title: 'a quote within a keyword',
    config: 'Inc"lude" "~/more.conf"\nHo"st"web\n',
    files: { 'more.conf': 'Host db\n HostName 10.0.0.6\n' },
    names: ['db', 'web'],
  },
  {
    title: 'blanks that are none to ssh',
    config: 'Host a\u00a0b c\vd e\rf g\u2028h web \f\n HostName 10.0.0.5\n',
    names: ['web'],
  },
  { title: 'equals signs before a keyword', config: ' = Host = web\n==HostName 10.0.0.5\n', names: ['web'] },
  { title: 'comments', config: '# Host no\nHost web # db\n # HostName x\n HostName 10.0.0.5 # y\n', names: ['web'] },
  { title: 'CRLF', config: 'Host web\r\n HostName 10.0.0.5\r\n User deploy\r\n', names: ['web'] },
  { title: 'no newline at the end', config: 'Host web\n HostName 10.0.0.5', names: ['web'] },
  { title: 'wildcards', config: 'Host web-? *.corp\n User ops\nHost web-1\n HostName 10.0.0.5\n', names: ['web-1'] },
  { title: 'negation', config: 'Host * !db\n User ops\nHost web db\n HostName 10.0.0.5\n', names: ['web', 'db'] },
  { title: 'the first value that counts', config: 'Host web\n User a\nHost web\n User b\n Port 7\n', names: ['web'] },
  { title: 'defaults at the top', config: 'User ops\nHost web\n User not-this\n', names: ['web'] },
  { title: '%h in HostName', config: 'Host web db\n HostName %h.corp.example\n', names: ['web', 'db'] },
  { title: '%% in HostName', config: 'Host web\n HostName fe80::1%%lo\n', names: ['web'] },
  {
    title: 'an Include',
    config: 'Include "~/more.conf"\nHost web\n Port 7\n',
    files: { 'more.conf': 'Host db\n HostName 10.0.0.6\n' },
    names: ['db', 'web'],
  },
  {
    title: 'an Include with a pattern',
    config: 'Include ~/d/*.conf ~/d/[x-z]?\n',
    files: {
      'd/b.conf': 'Host b\n',
      'd/a.conf': 'Host a\n',
      'd/.c.conf': 'Host c\n',
      'd/y1': 'Host y\n',
      'd/w1': 'Host w\n',
    },
    names: ['a', 'b', 'y'],
  },
  {
    title: 'an Include from ~/.ssh',
    config: 'Include more.conf\n',
    files: { '.ssh/more.conf': 'Host db\n HostName 10.0.0.6\n' },
    names: ['db'],
  },
  {
    title: 'an Include within a Host',
    config: 'Host web\n Include ~/more.conf\n',
    files: { 'more.conf': 'User ops\nHost db\n User dba\n' },
    names: ['web', 'db'],
  },
  {
    title: 'an Include of an Include',
    config: 'Include ~/1\n',
    files: { '1': 'Host one\nInclude ~/2\n', '2': 'Host two\n HostName 10.0.0.2\n' },
    names: ['one', 'two'],
  },
  { title: 'an Include of nothing', config: 'Include ~/absent ~/absent/*\nHost web\n', names: ['web'] },
  { title: 'Match host', config: 'Match host 10.0.0.5\n User ops\nHost web\n HostName 10.0.0.5\n', names: ['web'] },
  { title: 'Match originalhost', config: 'Host web db\nMatch originalhost web\n Port 7\n', names: ['web', 'db'] },
  { title: 'Match user', config: 'Host web\n User deploy\nMatch user deploy\n Port 7\n', names: ['web'] },
  { title: 'Match final', config: 'Host web\n HostName w.corp\nMatch final host w.corp\n User ops\n', names: ['web'] },
  { title: 'Match exec', config: 'Host web db\nMatch exec "test %n = web"\n Port 7\n', names: ['web', 'db'] },
  { title: 'Match all', config: 'Host web\n User a\nMatch all\n Port 7\n', names: ['web'] },
  {
    title: 'CanonicalizeHostname without a domain that answers',
    config: 'CanonicalizeHostname yes\nCanonicalDomains invalid\nHost web\n User ops\n',
    names: ['web'],
  },
  {
    title: 'keys with tokens',
    config:
      'Host web\n HostName w.corp\n User ops\n Port 7\n IdentityFile ~/k/%n_%h_%p_%r_%u\n IdentityFile %d/k/%%\n IdentityFile "~/k/a b"\n',
    names: ['web'],
  },
  { title: 'no keys', config: 'Host web\n IdentityFile none\n', names: ['web'] },
  { title: 'known_hosts elsewhere', config: 'Host web\n UserKnownHostsFile ~/kh/%h "~/kh/a b" /x\n', names: ['web'] },
  {
    title: 'no known_hosts',
    config: 'Host web\n UserKnownHostsFile none\n GlobalKnownHostsFile none\n',
    names: ['web'],
  },
  { title: 'another name for its key', config: 'Host web\n HostKeyAlias web-key\n', names: ['web'] },
  { title: 'fewer key algorithms', config: 'Host web\n HostKeyAlgorithms ssh-ed25519,rsa-sha2-512\n', names: ['web'] },
  { title: 'algorithms taken away', config: 'Host web\n HostKeyAlgorithms -*rsa*\n', names: ['web'] },
  { title: 'an algorithm put first', config: 'Host web\n HostKeyAlgorithms ^ssh-ed25519\n', names: ['web'] },
  { title: 'times', config: 'Host web\n ConnectTimeout 7\n ServerAliveInterval 1m\n', names: ['web'] },
  { title: 'variables', config: 'Host web\n SetEnv A=b "C=d e"\n SendEnv SENT_*\n', names: ['web'] },
  { title: 'variables taken back', config: 'Host web\n SendEnv OTHER SENT_*\n SendEnv -SENT_*\n', names: ['web'] },
  { title: 'a jump', config: 'Host web\n ProxyJump gw\nHost gw\n HostName 10.0.0.1\n User j\n', names: ['web', 'gw'] },
  { title: 'a chain', config: 'Host web\n ProxyJump a,me@[::1]:2200\nHost a\n ProxyJump first\n', names: ['web', 'a'] },
  { title: 'no jump', config: 'Host web\n ProxyJump none\nHost *\n ProxyJump gw\n', names: ['web'] },
  { title: 'a jump by tokens', config: 'Host web\n ProxyJump %n-gw\n', names: ['web'] },
  { title: 'a jump as a URI', config: 'Host web\n ProxyJump ssh://me@gw:2200\n', names: ['web'] },
];
