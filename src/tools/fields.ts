import * as z from 'zod';

/** A name of the configuration, never an address. */
export const host = z.string().min(1).max(255).describe('From ssh_list_hosts.');
/** Configured hosts by their names, by sets of the policy and by tags. */
export const hosts = z.array(z.string().max(255)).min(1).max(200);
/** A handle of a command; looked up only after the gate. */
export const commandId = z.string().max(64).describe('From ssh_exec.');
/** A handle of a session. */
export const sessionId = z.string().max(64).describe('From ssh_session_start.');
/** A byte offset into safe output. */
export const cursor = z.int().min(0).optional().describe('An earlier cursor; 0 is the start.');
/** The most text of one read, in bytes. */
export const maxBytes = z.int().min(64).max(24_000).optional().describe('Default 24000.');
/** The agent's own words, for the record alone. */
export const reason = z.string().max(500).optional().describe('For the record.');
/** How long a call may wait, in milliseconds. */
export const waitMs = (byDefault: number) =>
  z.int().min(0).max(600_000).default(byDefault).describe('Answer by then with what there is.');

const day = 24 * 60 * 60 * 1000;
/** How long a command may run, in milliseconds; conditions of the policy see the default too. */
export const timeoutMs = z.int().min(1).max(day).default(600_000).describe('Stop it after this long.');

/** The width of a terminal, in characters. */
export const cols = z.int().min(2).max(500).optional();
/** The height of a terminal, in characters. */
export const rows = z.int().min(2).max(200).optional();
