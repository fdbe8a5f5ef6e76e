import type { Log } from '../call.ts';
import { Failure } from '../errors.ts';
import type { StopReport } from '../ssh/command/end.ts';
import type { Overseen, Overseer } from '../ssh/overseer.ts';
import type { After } from '../ssh/timer.ts';
import { nearest } from '../text/nearest.ts';
import { safeLine } from '../text/safe.ts';
import type { Listing } from './answers.ts';
import type { Client } from './client.ts';
import { type ControlRequest, parsedLine, requestSchema, VERSION } from './protocol.ts';
import { thingOf } from './thing.ts';
import { watchAll, watchOne } from './watch.ts';

/** What an operator may see of a server and end in it. */
export type ControlParts = {
  readonly overseer: Overseer;
  readonly server: Listing['server'];
  readonly connections: () => Listing['connections'];
  /** Puts on record that an operator ended something, and what came of it. */
  readonly record: (one: Overseen, report: StopReport) => void;
  readonly after: After;
  readonly log: Log;
};

/** Answers one request; what is no request, or about nothing that is open, is answered with `failed`. */
export const answerWith =
  (parts: ControlParts) =>
  async (line: string, client: Client): Promise<void> => {
    try {
      await serve(requestOf(line), client, parts);
    } catch (error) {
      const failure = error instanceof Failure ? error : new Failure('DEFECT', String(error));
      await client.send({ v: VERSION, answer: 'failed', code: failure.code, message: failure.message });
    }
  };

const requestOf = (line: string): ControlRequest => {
  const parsed = requestSchema.safeParse(parsedLine(line));
  if (parsed.success) return parsed.data;
  throw new Failure('INVALID_INPUT', `This server takes requests of version ${VERSION}: list, watch and end.`);
};

const serve = async (request: ControlRequest, client: Client, parts: ControlParts): Promise<void> => {
  const { overseer, server } = parts;
  // What this process itself has open is shown and ended whatever becomes of the store.
  await overseer
    .fetch(server.grant)
    .catch((error: unknown) => parts.log('warn', 'detached commands could not be looked up', { error: String(error) }));
  switch (request.op) {
    case 'list': {
      const open = overseer.all().map(thingOf);
      return await client.send({ v: VERSION, answer: 'list', server, connections: parts.connections(), open });
    }
    case 'watch':
      if (request.id === undefined) return await watchAll(overseer, client);
      return await watchOne(found(overseer, request.id), client, parts.after);
    case 'end': {
      const one = found(overseer, request.id);
      const report = await one.end();
      parts.record(one, report);
      const { outcome, signals, remaining, unlisted } = report;
      return await client.send({
        ...{ v: VERSION, answer: 'stopped', id: one.id, outcome },
        ...{ signals: [...signals], remaining: remaining.map(process => ({ ...process })) },
        ...(unlisted === undefined ? {} : { unlisted }),
      });
    }
  }
};

const found = (overseer: Overseer, id: string): Overseen => {
  const one = overseer.find(id);
  if (one !== undefined) return one;
  const near = nearest(
    id,
    overseer.all().map(open => open.id),
  );
  const hint = near === undefined ? '' : ` Did you mean ${near}?`;
  throw new Failure('UNKNOWN_ID', `Nothing that is open is called ${JSON.stringify(safeLine(id, 60))}.${hint}`);
};
