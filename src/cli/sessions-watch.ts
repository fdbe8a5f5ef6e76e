import type { ControlAnswer, OpenThing } from '../console/answers.ts';
import { talk } from '../console/talk.ts';
import type { Request } from './commands.ts';
import { EXIT, type Io, print, say, visible } from './io.ts';
import { liveServers, type Server, serverOf } from './servers.ts';

/** `sessions watch`: what one thing writes until it ends, or what begins and ends; 1 for an unknown id, 4 when the server is lost. */
export const sessionsWatch = async (io: Io, { options, operands: [id] }: Request): Promise<number> => {
  const { answering } = await liveServers(io, options);
  const show = options.json ? asJson(io) : asText(io);
  if (id !== undefined) {
    const server = serverOf(io, answering, id);
    return server === undefined ? EXIT.no : await watchOne(io, server, id, show);
  }
  if (answering.length === 0) say(io, 'No server is running here.');
  await Promise.all(answering.map(server => watchAll(server, show)));
  return EXIT.ok;
};

type Show = (answer: ControlAnswer) => void;

const watchOne = async (io: Io, { folder, name, pid }: Server, id: string, show: Show): Promise<number> => {
  let code: number = EXIT.environment;
  const take = (answer: ControlAnswer): boolean => {
    show(answer);
    if (answer.answer === 'ended') code = EXIT.ok;
    if (answer.answer === 'failed') code = EXIT.no;
    return answer.answer === 'output';
  };
  await talk({ folder, name, request: { op: 'watch', id }, take });
  if (code === EXIT.environment) say(io, `The server with process ${pid} has gone.`);
  return code;
};

const watchAll = async ({ folder, name }: Server, show: Show): Promise<void> => {
  const take = (answer: ControlAnswer): boolean => {
    show(answer);
    return answer.answer !== 'failed';
  };
  await talk({ folder, name, request: { op: 'watch' }, take });
};

const asJson =
  (io: Io): Show =>
  ({ v, ...answer }) =>
    io.stdout.write(`${JSON.stringify(answer)}\n`);

const asText =
  (io: Io): Show =>
  answer => {
    switch (answer.answer) {
      case 'output':
        if (answer.dropped !== undefined) say(io, `[${answer.dropped} bytes are not shown]`);
        return io.stdout.write(visible(answer.text));
      case 'open':
      case 'began':
        return print(io, `${answer.answer.padEnd(5)} ${lineOf(answer.thing)}`);
      case 'ended':
        return say(io, `ended ${answer.id}: ${answer.status}`);
      case 'failed':
        return say(io, answer.message);
      default:
        return undefined;
    }
  };

const lineOf = ({ id, host, grant, status, what, mode }: OpenThing): string =>
  [id, `on ${host}`, `for ${grant}`, status, what || (mode === undefined ? '' : `${mode} session`)]
    .join('  ')
    .trimEnd();
