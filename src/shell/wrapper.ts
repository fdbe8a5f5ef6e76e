/**
 * How a program starts another one: after its options and at most so many operands (`after`), after one of its words
 * (`words`, or at most so many `operands` behind it), at any of its words (`anywhere`), from a text that a shell reads, be it the rest joined (`joined`) or the
 * value of an option (`text`), or from what it reads by itself (`blind`).
 */
export type Wrapper = {
  readonly after?: number;
  readonly words?: RegExp;
  readonly operands?: number;
  readonly anywhere?: true;
  readonly joined?: true;
  readonly text?: RegExp;
  readonly blind?: (operands: readonly string[]) => boolean;
};

const named = (names: string, wrapper: Wrapper): (readonly [string, Wrapper])[] =>
  names.split(' ').map(name => [name, wrapper]);

/** getopt_long takes any beginning of a long name, and su has `--session-command` beside `--command`. */
const COMMAND_OPTION = /^-[A-Za-z]*?c|^--(?:c|se)[a-z-]*(?:=|$)/;
const hasOption = (option: RegExp) => (operands: readonly string[]) => operands.some(operand => option.test(operand));
const hasShellOption = hasOption(/^-[A-Za-z]*[si]|^--(?:shell|login)$/);
const hasNoCommand = (operands: readonly string[]): boolean => !hasOption(COMMAND_OPTION)(operands);
const readsInput = (operands: readonly string[]): boolean =>
  operands.every(operand => /^[-+]/.test(operand)) || hasOption(/^-[A-Za-z]*[si]|^--(?:rcfile|init-file)$/)(operands);
const namesNobody = (operands: readonly string[]): boolean =>
  hasNoCommand(operands) && !hasOption(/^-[A-Za-z]*u|^--u/)(operands);

/** Programs and builtins that start what their arguments say: known ones, to restrain by; no such list is complete. */
export const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map([
  ...named('sudo doas', { after: 0, blind: hasShellOption }),
  ...named(
    'pkexec run0 nice ionice nohup setsid stdbuf xargs command exec builtin noglob nocorrect time busybox ' +
      'toybox unshare nsenter setpriv numactl prlimit cgexec fakeroot unbuffer rlwrap chronic ifne torsocks tsocks ' +
      'proxychains proxychains4 tini dumb-init catchsegv eatmydata linux32 linux64 i386 x86_64 chpst softlimit choom ' +
      'uclampset annotate-output npx pnpx bunx . source',
    { after: 0 },
  ),
  ...named(
    'timeout chroot chrt taskset setarch setuidgid s6-setuidgid envdir envuidgid gosu su-exec faketime cpulimit coproc ' +
      'runcon lckdo',
    { after: 1 },
  ),
  ['env', { after: 0, text: /^-[A-Za-z]*?S|^--s[a-z-]*(?:=|$)/ }],
  ...named('sh ash dash bash rbash zsh ksh ksh93 mksh yash posh csh tcsh', {
    after: 0,
    text: COMMAND_OPTION,
    blind: readsInput,
  }),
  ['fish', { after: 0, text: /^-[A-Za-z]*?[cC]|^--(?:c|init)[a-z-]*(?:=|$)/, blind: readsInput }],
  ...named('su sg script', { after: 1, text: COMMAND_OPTION, blind: hasNoCommand }),
  ['runuser', { after: 1, text: COMMAND_OPTION, blind: namesNobody }],
  ['flock', { after: 1, text: COMMAND_OPTION }],
  ['trap', { text: /^/ }],
  ...named('eval watch parallel sem entr hyperfine pee', { after: 0, joined: true }),
  ['alias', { text: /^[^=]*=/ }],
  ...named('ssh mosh rsh sshpass', { after: 2, joined: true }),
  ['find', { words: /^-(?:exec|execdir|ok|okdir)$/ }],
  ...named('fd fdfind', { words: /^(?:-x|-X|--exec|--exec-batch)$/, text: /^-[xX]|^--exec(?:-batch)?=/ }),
  ...named('npm pnpm yarn bun poetry uv pipenv bundle rbenv pyenv conda mise asdf', {
    words: /^(?:exec|run|x|dlx|--)$/,
  }),
  ['ip', { words: /^exec$/, operands: 1 }],
  ...named(
    'docker podman nerdctl crictl ctr kubectl oc lxc incus machinectl systemd-run systemd-inhibit start-stop-daemon ' +
      'systemd-nspawn daemonize screen strace ltrace gdb valgrind perf bwrap firejail proot xvfb-run dbus-run-session ' +
      'direnv dtach abduco ld.so',
    { anywhere: true },
  ),
  ...named('tmux zellij nix-shell capsh', { anywhere: true, joined: true }),
  ...named('at batch', { blind: () => true }),
]);
