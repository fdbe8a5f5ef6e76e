import type { Sshd } from '../support/sshd.ts';
import { type Figures, ms, ratio } from './figures.ts';
import { manyFiles, oneFile, type Pair } from './files.ts';
import { throughTunnels } from './tunnels.ts';

const TUNNELLED: Readonly<Record<string, string>> = {
  ...{ up: '210 MB up', down: '210 MB down', open: '50 connections, one after the other' },
};

type Beside = Pair & { readonly synced?: Figures };

/** Files beside scp, and tunnels beside `ssh -L`; alone by `npm run bench -- files`. */
export const transfers = async (sshd: Sshd, say: (text: string) => void): Promise<void> => {
  say(
    '\n| files, p50 | ours | `scp`, warm master | ours is so many times as fast | `scp`, and its copy synced | so many times |\n|---|--:|--:|--:|--:|--:|',
  );
  const besideScp = (name: string, { up, down }: Readonly<Record<'up' | 'down', Beside>>, aim: string): void => {
    for (const [way, { ours, scp, synced }] of Object.entries({ up, down })) {
      const other = synced === undefined ? '| |' : `| ${ms(synced.p50)} | ${ratio(synced.p50, ours.p50)} |`;
      say(`| ${name}, ${way} | ${ms(ours.p50)} | ${ms(scp.p50)} | ${ratio(scp.p50, ours.p50)}, aim ${aim} ${other}`);
    }
  };
  besideScp('300 MB on loopback', await oneFile(sshd, { bytes: 300_000_000, rounds: 5 }), '0.7x');
  besideScp(
    '300 MB at a round trip of 50 ms',
    await oneFile(sshd, { bytes: 300_000_000, rounds: 3, delayMs: 25 }),
    '3x',
  );
  besideScp('60 MB at a round trip of 50 ms', await oneFile(sshd, { bytes: 60_000_000, rounds: 3, delayMs: 25 }), '3x');
  besideScp('10,000 files of 4 KiB', await manyFiles(sshd, { count: 10_000, bytes: 4_096, rounds: 3 }), '3x');
  say(
    '\n| tunnels, p50 | ours | `ssh -L` | no tunnel | ours is so many times as fast as `ssh -L` |\n|---|--:|--:|--:|--:|',
  );
  const tunnels = await throughTunnels(sshd, { bytes: 65_536 * 3_200, opens: 50, rounds: 5 });
  for (const [name, { ours, ssh, none }] of Object.entries(tunnels))
    say(
      `| ${TUNNELLED[name] ?? name} | ${ms(ours.p50)} | ${ms(ssh.p50)} | ${ms(none.p50)} | ${ratio(ssh.p50, ours.p50)} |`,
    );
};
