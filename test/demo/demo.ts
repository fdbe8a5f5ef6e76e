import { execFileSync, spawnSync } from 'node:child_process';
import { readdirSync, readFileSync, realpathSync } from 'node:fs';
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { BIN, home, type Raw, raw } from '../support/home.ts';
import { tempFolder } from '../support/temp.ts';
import { ASKING, approverIn, callsAround, maySign } from './approval.ts';
import { BURST, STEPS, type Step } from './calls.ts';
import { startTarget, type Target } from './target.ts';

type Json = Record<string, unknown>;

const root = process.env.SALLYPORT_ROOT ?? process.cwd();
const say = (text: string): void => void process.stdout.write(`${text}\n`);
let wrong = 0;
const expectThat = (holds: boolean, text: string): void => {
  say(`${holds ? 'ok   ' : 'WRONG'} ${text}`);
  if (!holds) wrong += 1;
};

const row = (number: number | string, step: Step, decision: string, tookMs: number, arrived: number): void =>
  say(
    `${String(number).padStart(2)}  ${step.tool.padEnd(18)} ${JSON.stringify(step.says).slice(1, -1).slice(0, 34).padEnd(34)}  ${decision.padEnd(66)} ${tookMs.toFixed(0).padStart(5)} ms  ${arrived === 0 ? 'never arrived' : `${arrived} arrived`}`,
  );

/** What arrived for a step. The host writes its log a moment after it answered, so what must be there is waited for. */
const arrivals = async (target: Target, before: number, step: Step): Promise<number> => {
  const least = typeof step.arrives === 'number' ? step.arrives : 0;
  for (let tries = 0; tries < 100 && target.arrived() - before < least; tries += 1) await pause(20);
  return target.arrived() - before;
};

/** Plays one call, and looks from the far side how many commands arrived for it. */
const play = async (server: Raw, target: Target, step: Step, so: Json, number: number | string): Promise<boolean> => {
  await step.before?.();
  const before = target.arrived();
  const begun = performance.now();
  const result = await server.call(step.tool, step.args(so));
  const tookMs = performance.now() - begun;
  try {
    const decision = await step.judge(result, so);
    const arrived = await arrivals(target, before, step);
    row(number, step, decision, tookMs, arrived);
    if (step.arrives !== 'some' && arrived !== step.arrives) throw new Error(`${arrived} arrived, not ${step.arrives}`);
    return true;
  } catch (error) {
    if (number === '') return false;
    wrong += 1;
    say(`WRONG ${step.tool} ${step.says}: ${error instanceof Error ? error.message : String(error)}`);
    return true;
  }
};

/** Calls until the limit refuses, and shows only the refusal. */
const burst = async (server: Raw, target: Target, so: Json): Promise<void> => {
  for (let tries = 1; tries <= 40; tries += 1) {
    if (await play(server, target, BURST, so, '')) {
      say(`    (the limit of 30 a minute let ${tries - 1} more of these through first)`);
      return;
    }
  }
  expectThat(false, 'the limit refused none of forty calls');
};

/** The marks of some server that processes carry now: what others have left does not count here, however often it forks. */
const marks = (): ReadonlySet<string> =>
  new Set(
    readdirSync('/proc').flatMap(name => {
      try {
        const environ = /^\d+$/.test(name) ? readFileSync(join('/proc', name, 'environ'), 'latin1') : '';
        return /SALLYPORT_ID=[^\0]*/.exec(environ) ?? [];
      } catch {
        return []; // It has ended, or belongs to somebody else.
      }
    }),
  );

/** Gives the folder that stands for one of the host, with a link in it; and makes a small tree in the one for files of this machine. */
const folders = async (path: string): Promise<string> => {
  const [far, near] = [join(realpathSync(path), 'host'), join(path, 'sallyport')];
  await mkdir(far);
  await symlink('/etc/shadow', join(far, 'link'));
  await mkdir(join(near, 'app', 'bin'), { recursive: true, mode: 0o700 });
  for (const name of ['README', 'bin/start', 'bin/stop']) await writeFile(join(near, 'app', name), `${name}\n`);
  return far;
};

const policyFor = (far: string, port: number): Json => {
  const document: Json & { rules: Json[] } = JSON.parse(readFileSync(join(root, 'policy.example.json'), 'utf8'));
  const on = { effect: 'allow', hosts: ['demo'] };
  document.rules.push(
    { id: 'demo-files', ...on, actions: ['read', 'list', 'write'], paths: [far, `${far}/**`] },
    { id: 'demo-tunnel', ...on, actions: ['forward'], ports: [port] },
    ASKING,
  );
  return document;
};

const main = async (): Promise<void> => {
  const others = marks();
  await using target = await startTarget(process.env.SALLYPORT_SSHD);
  const entry = {
    address: '127.0.0.1',
    port: target.port,
    user: target.user,
    auth: { key: target.keyPath },
    tags: ['demo'],
  };
  const hosts = { demo: entry, 'staging-1': { ...entry, tags: ['staging'] } };
  await using keys = await tempFolder('sallyport-approver-');
  const approver = maySign() ? await approverIn(keys.path) : {};
  const files = { root: '~/sallyport' };
  await using place = await home(hosts, undefined, { knownHosts: [target.knownHosts], files, ...approver });
  const far = await folders(place.path);
  await place.policy(policyFor(far, target.port));
  say(`node     ${process.version}`);
  say(`target   ${target.what} on 127.0.0.1:${target.port}, thrown away at the end`);
  const begun = performance.now();
  await using server = raw(place);
  await server.request('server/discover');
  say(
    `server   ${execFileSync(process.execPath, [BIN, '--version'], { encoding: 'utf8' }).trim()} on stdio, first answer after ${(performance.now() - begun).toFixed(0)} ms`,
  );
  say('policy   policy.example.json, with rules for a folder of the demo, a port, and a question\n');
  const so: Json = { far, port: target.port };
  const steps = [...STEPS, ...(maySign() ? callsAround(place) : [])];
  for (const [index, step] of steps.entries()) await play(server, target, step, so, index + 1);
  await burst(server, target, so);
  say('');
  server.child.stdin.end();
  const { code } = await server.exited;
  expectThat(code === 0, `the server left by itself when its client did (exit ${code})`);
  expectThat(server.noise.length === 0, 'its stdout carried nothing but the protocol');
  const lines = await place.audit();
  const count = (event: string): number => lines.filter(line => line.event === event).length;
  expectThat(
    count('admitted') === count('ended'),
    `the audit has ${count('admitted')} admitted, each with its end, and ${count('refused')} refused`,
  );
  const verified = spawnSync(process.execPath, [BIN, 'audit', 'verify'], { env: place.env, encoding: 'utf8' });
  expectThat(verified.status === 0, `sallyport audit verify: ${verified.stdout.trim().split('\n')[0]}`);
  const left = [...marks()].filter(mark => !others.has(mark));
  expectThat(left.length === 0, 'no process of it is left on the target');
};

await main();
say(wrong === 0 ? '\nEvery expectation was met. Next: sallyport init' : `\n${wrong} expectations were not met.`);
process.exit(wrong === 0 ? 0 : 1);
