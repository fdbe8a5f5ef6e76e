import { accessSync, constants, existsSync } from 'node:fs';
import type { ApprovalsConfig } from '../config/approvals.ts';
import { NO_PROGRAM, readLists } from './approvers.ts';
import { advice, type Finding, well, wrong } from './finding.ts';
import { counted, type Io } from './io.ts';
import { keygenProgram } from './keygen-program.ts';

const CHECK = 'approvals';

/** Whether operators can answer, and whether an agent that runs as this account could make itself one. */
export const checkApprovals = (io: Io, approvals: ApprovalsConfig): readonly Finding[] => {
  const { allowedSigners, revokedKeys, key } = approvals;
  if (allowedSigners === undefined) return [];
  const lists = keygenProgram(io) === undefined ? NO_PROGRAM : readLists(approvals, io);
  if (typeof lists === 'string')
    return [
      wrong(CHECK, `no operator can approve anything: ${lists}`, 'correct approvals in config.json, the file, or PATH'),
    ];
  const lines = lists.allowed
    .toString('utf8')
    .split('\n')
    .filter(line => /^[^#\s]/.test(line));
  const found = [
    ...lines
      .filter(isVague)
      .map(line => wrong(CHECK, `${nameIn(line)} is no plain name: its key counts for nobody`, ONE_NAME)),
    ...[allowedSigners, revokedKeys]
      .filter(isOurs)
      .map(path =>
        advice(
          CHECK,
          `${path} may be written by this account, and so by an agent of it: what it writes counts from the next start`,
          'give the file and its folder to root, or give the agent another account (docs/approval.md)',
        ),
      ),
    ...(key !== undefined && isPlainKey(key)
      ? [advice(CHECK, `${key} is a private key that this account can read`, HARD_KEY)]
      : []),
  ];
  return [well(CHECK, `${allowedSigners}, ${counted(lines.length, 'key')}`), ...found];
};

const ONE_NAME = 'list each key once, under one plain name, without cert-authority';
const HARD_KEY =
  'use a key that asks: one with a passphrase, in an agent that confirms, or on a security key (docs/approval.md)';

const nameIn = (line: string): string => JSON.stringify(line.split(/\s/, 1)[0]);

const isVague = (line: string): boolean =>
  !/^[A-Za-z0-9][A-Za-z0-9._@+-]{0,127}\s/.test(line) || /\scert-authority[\s,]/.test(line);

const isOurs = (path: string | undefined): path is string => path !== undefined && isAllowed(path, constants.W_OK);

const isPlainKey = (path: string): boolean =>
  !path.endsWith('.pub') && !/_sk$/.test(path) && existsSync(path) && isAllowed(path, constants.R_OK);

const isAllowed = (path: string, mode: number): boolean => {
  try {
    accessSync(path, mode);
    return true;
  } catch {
    return false; // Not to be reached is as good as not to be written.
  }
};
