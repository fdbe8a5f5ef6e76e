import { EXIT } from './io.ts';

/** One thing that doctor looked at. Whatever is not well says how to mend it. */
export type Finding = {
  readonly check: string;
  readonly status: 'ok' | 'advice' | 'wrong' | 'unavailable';
  readonly says: string;
  readonly mend?: string;
};

/** All is well. */
export const well = (check: string, says: string): Finding => ({ check, status: 'ok', says });
/** It works, and could be better. */
export const advice = (check: string, says: string, mend: string): Finding => ({ check, status: 'advice', says, mend });
/** Somebody must change a file. */
export const wrong = (check: string, says: string, mend: string): Finding => ({ check, status: 'wrong', says, mend });
/** The surroundings fail: a host, an agent, a disk. */
export const unavailable = (check: string, says: string, mend: string): Finding => ({
  check,
  status: 'unavailable',
  says,
  mend,
});

/** 4 when the surroundings fail, else 1 when something is wrong, else 0. */
export const exitOfFindings = (findings: readonly Finding[]): number => {
  if (findings.some(({ status }) => status === 'unavailable')) return EXIT.environment;
  return findings.some(({ status }) => status === 'wrong') ? EXIT.no : EXIT.ok;
};
