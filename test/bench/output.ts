import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { Client } from 'ssh2';
import { Capture } from '../../src/ssh/command/output.ts';
import { Redaction } from '../../src/text/redact.ts';
import { runOf, type TestFleet, testFleet } from '../support/fleet.ts';
import type { Sshd } from '../support/sshd.ts';
import { type Figures, figuresOf, timed } from './figures.ts';

/** What is sent: lines are what commands write, the others are what costs most to make safe. */
const STREAMS = {
  'lines of digits': { command: 'seq 1 9000000', bytes: 70_888_896 },
  'Russian text': { command: "yes 'Привет, мир' | head -c 40000000", bytes: 40_000_000 },
  'coloured words': { command: 'yes "$(printf \'\\033[31mred\\033[0m text\')" | head -c 40000000', bytes: 40_000_000 },
  'random bytes': { command: 'head -c 10000000 /dev/urandom', bytes: 10_000_000 },
} as const;

type Rates = Readonly<Record<string, { readonly bare: number; readonly ssh: number; readonly ours: number }>>;

/** Megabytes a second of one command's output, the best of some rounds: by ssh2 that only counts, by OpenSSH into nothing, and by us. */
export const outputRates = async (sshd: Sshd, rounds: number): Promise<Rates> => {
  using web = testFleet(await sshd.host(), sshd);
  const bare = await bareClient(sshd);
  const key = (await sshd.userKey()).path;
  const rates = Object.entries(STREAMS).map(([name, { command, bytes }]) => async () => {
    const contenders = {
      bare: async () => bare.run(command, bytes),
      ssh: async () => openSsh(sshd, key, command),
      ours: async () => ours(web, command, bytes),
    };
    const best = { bare: 0, ssh: 0, ours: 0 };
    for (let round = 0; round < rounds; round += 1)
      for (const who of ['bare', 'ssh', 'ours'] as const)
        best[who] = Math.max(best[who], bytes / 1000 / (await timed(contenders[who])));
    return [name, best] as const;
  });
  const measured: (readonly [string, Rates[string]])[] = [];
  for (const rate of rates) measured.push(await rate());
  bare.close();
  return Object.fromEntries(measured);
};

/** From the first byte beyond the limit that a reader could see to the proof that the flood is over, in milliseconds. */
export const limitToProof = async (sshd: Sshd, runs: number): Promise<Figures> => {
  using web = testFleet(await sshd.host(), sshd);
  const times: number[] = [];
  for (let count = 0; count < runs; count += 1) {
    const permit = web.permit(runOf(web.target, 'yes'), 'local', { maxOutputBytes: 1_000_000 });
    const command = await web.fleet.run(permit);
    while (command.state().outputLimit === undefined) await new Promise(resolve => setImmediate(resolve));
    times.push(await timed(async () => void (await command.ended)));
    const end = await command.ended;
    if (end.how !== 'cancelled' || end.stop.outcome !== 'confirmed') throw new Error(JSON.stringify(end));
  }
  return figuresOf(times);
};

/** Megabytes that one second of this processor takes in, made safe and kept, by how many secrets are looked for. */
export const captureRates = (): Readonly<Record<string, number>> => {
  const lines = Buffer.from(Array.from({ length: 4000 }, (_, index) => `${index} of a log\n`).join(''));
  const rate = (secrets: number): number => {
    const redaction = new Redaction();
    for (let index = 0; index < secrets; index += 1) redaction.add(`correct-horse/${index}`);
    const capture = new Capture(1_000_000, redaction);
    const take = (times: number): void => {
      for (let count = 0; count < times; count += 1) capture.take(lines);
    };
    take(300);
    const before = process.cpuUsage();
    take(2000);
    const { user, system } = process.cpuUsage(before);
    return (2000 * lines.length) / (user + system);
  };
  return { 'no secret': rate(0), '1 secret': rate(1), '200 secrets': rate(200) };
};

const ours = async (web: TestFleet, text: string, bytes: number): Promise<void> => {
  const { command } = await web.start(text);
  await command.ended;
  if (command.stdout.received().bytes !== bytes) throw new Error(`${text}: ${command.stdout.received().bytes} bytes`);
};

const bareClient = async (
  sshd: Sshd,
): Promise<{ run: (command: string, bytes: number) => Promise<void>; close: () => void }> => {
  const privateKey = await readFile((await sshd.userKey()).path);
  const client = new Client();
  const sock = connect({ host: '127.0.0.1', port: sshd.port, noDelay: true });
  await new Promise<void>((resolve, reject) => {
    client.once('ready', resolve).once('error', reject);
    client.connect({ sock, username: sshd.user, privateKey });
  });
  const run = (command: string, bytes: number): Promise<void> =>
    new Promise((resolve, reject) => {
      client.exec(command, (error, channel) => {
        if (error) return reject(error);
        let seen = 0;
        channel.on('data', (chunk: Buffer) => {
          seen += chunk.length;
        });
        channel.on('close', () => (seen === bytes ? resolve() : reject(new Error(`${command}: ${seen} bytes`))));
        channel.stderr.resume();
        channel.end();
      });
    });
  return { run, close: () => client.end() };
};

/** A whole client each time: its login is a part of it. */
const openSsh = (sshd: Sshd, key: string, command: string): Promise<void> =>
  new Promise((resolve, reject) => {
    const options = ['-F', '/dev/null', '-o', `UserKnownHostsFile=${sshd.knownHosts}`, '-o', 'IdentitiesOnly=yes'];
    const target = ['-i', key, '-p', String(sshd.port), `${sshd.user}@127.0.0.1`, command];
    const child = spawn('ssh', [...options, ...target], { stdio: ['ignore', 'ignore', 'inherit'] });
    child.once('error', reject);
    child.once('exit', code => (code === 0 ? resolve() : reject(new Error(`ssh: ${code}`))));
  });
