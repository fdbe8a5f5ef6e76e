import { didYouMean } from '../text/nearest.ts';
import { Usage } from './io.ts';
import { shellWord } from './shell-word.ts';

/** How one client learns of the server: a command to run, or what belongs into a file of its own. */
export type Registration = {
  readonly client: string;
  readonly title: string;
  /** Where the text goes: a shell, or the path of a file. */
  readonly into: string;
  readonly text: string;
};

type Program = readonly [string, ...string[]];

type Client = {
  readonly title: string;
  readonly into: string;
  readonly text: (program: Program) => string;
};

const SHELL = 'a shell';

const CLIENTS: Readonly<Record<string, Client>> = {
  'claude-code': {
    title: 'Claude Code',
    into: SHELL,
    text: program => `claude mcp add --scope user sallyport -- ${words(program)}`,
  },
  codex: { title: 'Codex', into: SHELL, text: program => `codex mcp add sallyport -- ${words(program)}` },
  gemini: {
    title: 'Gemini CLI',
    into: SHELL,
    // Its own parser would take our flags for its own: they go after the double dash.
    text: ([command, ...args]) => `gemini mcp add --scope user sallyport ${words([command])} -- ${words(args)}`,
  },
  cursor: {
    title: 'Cursor',
    into: '~/.cursor/mcp.json',
    text: program => json({ mcpServers: { sallyport: entry(program) } }),
  },
  vscode: {
    title: 'VS Code',
    into: SHELL,
    text: program => `code --add-mcp ${shellWord(JSON.stringify({ name: 'sallyport', ...entry(program) }))}`,
  },
  'claude-desktop': {
    title: 'Claude Desktop',
    into: 'claude_desktop_config.json (Settings, Developer, Edit Config)',
    text: program => json({ mcpServers: { sallyport: entry(program) } }),
  },
};

/** The registration of one client, or of every client; throws a `Usage` that names the nearest. */
export const registrations = (client: string | undefined, program: Program): readonly Registration[] => {
  const names = Object.keys(CLIENTS);
  if (client !== undefined && !names.includes(client))
    throw new Usage(
      `unknown client ${JSON.stringify(client)}${didYouMean(client, names) || `; there are ${names.join(', ')}`}`,
    );
  return Object.entries(CLIENTS)
    .filter(([name]) => client === undefined || name === client)
    .map(([name, { title, into, text }]) => ({ client: name, title, into, text: text(program) }));
};

const entry = ([command, ...args]: Program) => ({ command, args });
const json = (value: unknown): string => JSON.stringify(value, null, 2);
const words = (program: readonly string[]): string => program.map(shellWord).join(' ');
