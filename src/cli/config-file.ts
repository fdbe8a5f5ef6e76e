import { existsSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import type { Rewriting } from '../config/rewrite.ts';
import { Failure } from '../errors.ts';
import { Environment, type Io } from './io.ts';
import type { Options } from './options.ts';
import { placesIn } from './record.ts';

/** The configuration's file as it is rewritten, its former texts kept beside the state. */
export const configFile = (io: Io, { paths }: Options): Rewriting => ({
  path: paths.config,
  history: placesIn(paths.state).history,
  uid: io.uid,
  clock: io.clock,
  unique: () => io.random(8).toString('hex'),
  pause: ms => pause(ms),
});

/** A change of it that a person asked for: what keeps it from being made is said with its place. */
export const byHand = async <T>(work: Promise<T>): Promise<T> =>
  await work.catch((error: unknown) => {
    if (error instanceof Failure) throw new Environment(error.operator ?? error.message);
    throw error;
  });

/** Refuses to go on with a file that somebody named and that is not there. */
export const mustBeThere = ({ paths, named }: Options): void => {
  if (named.config && !existsSync(paths.config)) throw new Environment(`${paths.config} does not exist.`);
};
