import { readFileSync } from 'node:fs';
import { uptime } from 'node:os';
import type { Clock } from '../call.ts';

/** The machine's time. `process.hrtime` is CLOCK_MONOTONIC, which all processes of one boot share. */
export const realClock = (): Clock => ({
  wallMs: () => Date.now(),
  monoMs: () => Number(process.hrtime.bigint()) / 1e6,
  bootId: bootId(),
});

/** Linux names each boot; elsewhere the minute of the boot names it, and two names for one boot do no harm. */
const bootId = (): string => {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return `boot-${Math.round((Date.now() - uptime() * 1000) / 60_000)}`;
  }
};
