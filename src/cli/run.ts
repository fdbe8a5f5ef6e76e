import { Failure, InvalidFile } from '../errors.ts';
import { NotPrivate } from '../state/private.ts';
import { checkOperands, type Typed, takeApart } from './arguments.ts';
import { COMMANDS, type Command, type Request } from './commands.ts';
import { commandHelp, groupHelp, overview } from './help.ts';
import { Environment, EXIT, type Io, say, Usage } from './io.ts';
import { optionsFrom } from './options.ts';

/** Does what a command line says and resolves with the exit code once its words are read; what goes wrong is a sentence on stderr. */
export const run = async (argv: readonly string[], io: Io): Promise<number> => {
  const code = await answer(argv, io).catch((error: unknown) => explain(error, io));
  if (io.stopped.aborted) return code;
  const flushed = io.flush().then(
    () => code,
    (error: unknown) => explain(error, io),
  );
  return await Promise.race([flushed, stopped(io)]);
};

const answer = async (argv: readonly string[], io: Io): Promise<number> => {
  const plan = planOf(argv, io);
  if ('text' in plan) {
    io.stdout.write(plan.text);
    return EXIT.ok;
  }
  const start = await plan.command.load();
  const work = start(io, plan.request);
  return plan.command.serves === true ? await work : await Promise.race([work, stopped(io)]);
};

/** 130, as soon as the process is told to stop. */
const stopped = ({ stopped: signal }: Io): Promise<number> =>
  new Promise(resolve => {
    if (signal.aborted) resolve(EXIT.interrupted);
    signal.addEventListener('abort', () => resolve(EXIT.interrupted), { once: true });
  });

type Plan = { readonly text: string } | { readonly command: Command; readonly request: Request };

const planOf = (argv: readonly string[], io: Io): Plan => {
  const words = argv[0] === 'help' || argv[0] === 'version' ? [...argv.slice(1), `--${argv[0]}`] : argv;
  const typed = takeApart(words);
  if (typed.flags.has('help')) return { text: helpFor(typed) };
  if (typed.flags.has('version')) return { text: `${io.version}\n` };
  const command = typed.command ?? bare(typed, io);
  if (command === undefined) return { text: overview() };
  checkOperands(command, typed);
  const { flags, operands, rest } = typed;
  return { command, request: { options: optionsFrom(flags, io.env, io.resolve), flags, operands, rest } };
};

const helpFor = ({ command, group, used }: Typed): string => {
  if (group === COMMANDS) return overview();
  return command === undefined || used < command.words.length ? groupHelp(group) : commandHelp(command);
};

/** Without a command: a person on a terminal wants help, a client on a pipe wants the server. */
const bare = ({ group }: Typed, io: Io): Command | undefined => {
  if (group !== COMMANDS)
    throw new Usage(`one more word is needed: ${group.map(({ words }) => words.join(' ')).join(', ')}`);
  return io.streams.stdin.isTTY === true ? undefined : COMMANDS.find(({ serves }) => serves === true);
};

const explain = (error: unknown, io: Io): number => {
  if (error instanceof Usage) {
    say(io, `sallyport: ${error.message}`);
    say(io, 'Try sallyport --help.');
    return EXIT.usage;
  }
  if (error instanceof InvalidFile || error instanceof NotPrivate) {
    say(io, error.message);
    return EXIT.invalid;
  }
  if (!(error instanceof Environment || error instanceof Failure || isSystemError(error))) throw error;
  say(io, `sallyport: ${error instanceof Failure ? error.text : error.message}`);
  return EXIT.environment;
};

/** What the operating system refused: a file that may not be read, a folder that may not be made. */
const isSystemError = (error: unknown): error is Error => error instanceof Error && 'syscall' in error;
