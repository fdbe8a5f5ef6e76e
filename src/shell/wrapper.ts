/**
 * How a program starts another one: after its options and at most so many operands (`after`), after one of its words
 * (`words`), at any of its words (`anywhere`), from a text that a shell reads, be it the rest joined (`joined`) or the
 * value of an option (`text`), or from what it reads by itself (`blind`).
 */
export type Wrapper = {
  readonly after?: number;
  readonly words?: RegExp;
  readonly anywhere?: true;
  readonly joined?: true;
  readonly text?: RegExp;
  readonly blind?: (operands: readonly string[]) => boolean;
};

const named = (names: string, wrapper: Wrapper): (readonly [string, Wrapper])[] =>
  names.split(' ').map(name => [name, wrapper]);

const COMMAND_OPTION = /^-[A-Za-z]*?c|^--command(?:=|$)/;
const hasOption = (option: RegExp) => (operands: readonly string[]) => operands.some(operand => option.test(operand));
const hasShellOption = hasOption(/^-[A-Za-z]*[si]|^--(?:shell|login)$/);
const hasNoCommand = (operands: readonly string[]): boolean => !hasOption(COMMAND_OPTION)(operands);
const readsInput = (operands: readonly string[]): boolean =>
  operands.every(operand => /^[-+]/.test(operand)) || hasOption(/^-[A-Za-z]*s/)(operands);

/** Programs and builtins that start what their arguments say: known ones, to restrain by; no such list is complete. */
export const WRAPPERS: ReadonlyMap<string, Wrapper> = new Map([
  ...named('sudo doas', { after: 0, blind: hasShellOption }),
  ...named(
    'pkexec run0 nice ionice nohup setsid stdbuf xargs command exec builtin noglob nocorrect time busybox ' +
      'toybox unshare nsenter setpriv numactl prlimit cgexec fakeroot unbuffer rlwrap chronic ifne torsocks tsocks ' +
      'proxychains proxychains4 tini dumb-init catchsegv eatmydata linux32 linux64 i386 x86_64 chpst softlimit . source',
    { after: 0 },
  ),
  ...named('timeout chroot chrt taskset setarch setuidgid envdir envuidgid gosu su-exec faketime cpulimit coproc', {
    after: 1,
  }),
  ['env', { after: 0, text: /^-[A-Za-z]*?S|^--split-string(?:=|$)/ }],
  ...named('sh ash dash bash rbash zsh ksh ksh93 mksh yash posh fish csh tcsh', {
    after: 0,
    text: COMMAND_OPTION,
    blind: readsInput,
  }),
  ...named('su sg script', { after: 1, text: COMMAND_OPTION, blind: hasNoCommand }),
  ['runuser', { after: 1, text: COMMAND_OPTION }],
  ['flock', { after: 1, text: COMMAND_OPTION }],
  ['trap', { text: /^/ }],
  ...named('eval watch parallel entr', { after: 0, joined: true }),
  ['alias', { text: /^[^=]*=/ }],
  ...named('ssh mosh rsh sshpass', { after: 2, joined: true }),
  ['find', { words: /^-(?:exec|execdir|ok|okdir)$/ }],
  ...named('fd fdfind', { words: /^(?:-x|-X|--exec|--exec-batch)$/ }),
  ...named(
    'docker podman nerdctl crictl ctr kubectl oc lxc incus machinectl systemd-run systemd-inhibit start-stop-daemon ' +
      'daemonize tmux screen strace ltrace gdb valgrind perf bwrap firejail proot xvfb-run dbus-run-session direnv ' +
      'nix-shell capsh ld.so',
    { anywhere: true },
  ),
  ...named('at batch', { blind: () => true }),
]);
