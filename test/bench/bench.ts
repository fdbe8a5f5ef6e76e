import { cpus, loadavg } from 'node:os';
import { startSshd } from '../support/sshd.ts';
import { CEDAR } from './cedar.ts';
import { warmExec } from './exec.ts';
import type { Figures } from './figures.ts';
import { ms, ratio } from './figures.ts';
import { gatePass } from './gate.ts';
import { coldExec, fanOut } from './hosts.ts';
import { managedMemory, terminalMemory } from './memory.ts';
import { captureRates, limitToProof, outputRates } from './output.ts';
import { decisions } from './policy.ts';
import { sessionLine } from './sessions.ts';
import { firstResponse } from './start.ts';
import { cancelToProof, exitWhenAlone } from './stop.ts';
import { transfers } from './transfers.ts';

const NAMES: Readonly<Record<string, string>> = {
  ...{ ours: '`ssh_exec`, whole server', bare: 'ssh2 as it comes', ssh: '`ssh`' },
  ...{ xargs: '`xargs -P 10` over OpenSSH masters', ansible: '`ansible -f 10 -m raw`' },
};

const say = (text: string): void => void process.stdout.write(`${text}\n`);
const row = (name: string, { n, min, p50, p99 }: Figures, note = ''): void =>
  say(`| ${name} | ${n} | ${ms(min)} | ${ms(p50)} | ${ms(p99)} | ${note} |`);

await using sshd = await startSshd();
say(
  `node ${process.version}, ${cpus().length} cores (${cpus()[0]?.model.trim() ?? '?'}), load ${loadavg()[0]?.toFixed(1)} at the start\n`,
);
if (process.argv[2] === 'files') {
  await transfers(sshd, say);
  await sshd.close();
  process.exit(0);
}
say('| what | n | min | p50 | p99 | beside |\n|---|--:|--:|--:|--:|---|');

const { start, rssMb } = await firstResponse(sshd, 15);
row('first response, from spawn', start, 'aim: p50 at most 150 ms on Node 20');

const { ours, bare, master } = await warmExec(sshd, 200);
if (ours === undefined || bare === undefined || master === undefined) throw new Error('a contender is missing');
row('warm `true`: ssh2 alone, no-delay', bare, '1.00x');
row('warm `true`: ssh_exec, whole server', ours, `${ratio(ours.p50, bare.p50)} of ssh2; aim: 1.4x`);
row(
  'warm `true`: ssh -S, OpenSSH multiplexing',
  master,
  `${ratio(master.p50, bare.p50)} of ssh2; ours is ${ratio(ours.p50, master.p50)} of it`,
);

const cold = await coldExec(sshd, 20);
const against = (figures: Readonly<Record<string, Figures>>, first: string, base: string) => {
  for (const [name, one] of Object.entries(figures))
    row(
      `${first}: ${NAMES[name] ?? name}`,
      one,
      `${ratio(one.p50, figures[base]?.p50 ?? Number.NaN)} of ${NAMES[base]}`,
    );
};
against(cold, 'cold connect and `true`', 'bare');
await using wide = await startSshd({ config: ['MaxStartups 200:30:300'] });
against(await fanOut(wide, 50, 8), '`true` on 50 hosts, warm', 'xargs');

for (const [name, figures] of Object.entries(await cancelToProof(sshd, 20)))
  row(`cancel to proof: ${name}`, figures, 'aim: 60 ms and a round trip, 1 s where KILL is needed');
row('exit after EOF, two commands and a session alive', await exitWhenAlone(sshd, 9), 'aim: 100 ms');

const { line, kept, exec, bare: channel } = await sessionLine(sshd, 100);
if (line === undefined || kept === undefined || exec === undefined || channel === undefined)
  throw new Error('a contender is missing');
row('session: ssh2 alone', channel, '1.00x');
row('session: `ssh_exec` of `true`', exec, `${ratio(exec.p50, channel.p50)} of ssh2`);
row('session: a line `true`', line, `${ratio(line.p50, exec.p50)} of ssh_exec`);
row('session: a line that it does by itself', kept, `${ratio(kept.p50, exec.p50)} of ssh_exec`);
row('output limit to proof', await limitToProof(sshd, 15), 'aim: 50 ms');
row('gate: one limit, record on disk', await gatePass(2000));
const us = (value: number | undefined): string => (value === undefined ? '' : `${value.toFixed(1)} µs`);
say(`\n| decision | p50 | p99 | ${CEDAR} p50 | p99 |\n|---|--:|--:|--:|--:|`);
for (const { name, ours: mine, cedar } of decisions())
  say(`| ${name} | ${us(mine.p50)} | ${us(mine.p99)} | ${us(cedar?.p50)} | ${us(cedar?.p99)} |`);
say('\n| output, MB/s | ssh2 alone | `ssh` | ours | of ssh2 |\n|---|--:|--:|--:|--:|');
for (const [name, { bare, ssh, ours }] of Object.entries(await outputRates(sshd, 2)))
  say(`| ${name} | ${bare.toFixed(0)} | ${ssh.toFixed(0)} | ${ours.toFixed(0)} | ${ratio(ours, bare)} |`);
for (const [name, rate] of Object.entries(captureRates())) say(`| kept, ${name} | | | ${rate.toFixed(0)} | |`);
await transfers(sshd, say);
say('\n| memory | 1 | 100 | 1,000 |\n|---|--:|--:|--:|');
const kib = (values: readonly number[]): string => values.map(value => `${value.toFixed(0)} KiB`).join(' | ');
const COUNTS = [1, 100, 1000];
say(`| a managed session, each | ${kib((await managedMemory(sshd, COUNTS)).map(([, each]) => each))} |`);
const terminals = await terminalMemory(COUNTS);
say(`| a terminal with its output, each | ${kib(terminals.map(([, plain]) => plain))} |`);
say(`| the same, looked at | ${kib(terminals.map(([, , seen]) => seen))} |`);
say(`\nidle server: ${rssMb.toFixed(0)} MB resident`);
