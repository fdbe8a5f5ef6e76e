import { WRAPPERS } from '../../shell/wrapper.ts';

/**
 * Programs whose options have one dash and several letters, or that may take `-ab` and `--` for words like any other:
 * no clusters, and no `--` that is not written.
 */
const ONE_DASH: ReadonlySet<string> = new Set(
  'find test [ expr openssl ffmpeg ffprobe java echo printf env nohup'.split(' '),
);

/**
 * Programs that read their own options only up to their sub-command, which reads the rest by itself: an option written
 * before it means something else after it (`git -p fetch`, `git fetch -p`), and so does `--` (`git checkout -- x`).
 */
const UP_TO_VERB: ReadonlySet<string> = new Set(
  (
    'git docker podman nerdctl buildah skopeo ip tc bridge devlink rdma npm npx yarn pnpm cargo go bundle flatpak ' +
    'openssl zfs zpool btrfs'
  ).split(' '),
);

/** Programs that read their own options only up to their first operand: what follows belongs to another program. */
const UP_TO_OPERAND: ReadonlySet<string> = new Set(
  (
    'sudo doas pkexec env nice ionice nohup setsid stdbuf timeout time chroot chrt taskset setpriv unshare nsenter ' +
    'flock xargs watch command exec builtin runuser su ssh sh dash bash zsh ksh python python3 node ruby perl php ' +
    'systemd-run strace ltrace busybox'
  ).split(' '),
);

/** Programs that add words which nobody judged to the command that they start. */
const ADDS_WORDS: ReadonlySet<string> = new Set(['xargs', 'parallel', 'find', 'fd', 'fdfind', 'entr']);

/** Whether a program adds words to the command behind it, or hands it to a shell that reads it again. */
export const changesCommand = (program: string): boolean =>
  ADDS_WORDS.has(baseOf(program)) || WRAPPERS.get(baseOf(program))?.joined === true;

/** Up to where a program reads its own options: everywhere, or not behind its sub-command, or its first operand. */
export type Strictness = 'everywhere' | 'verb' | 'operand';

const baseOf = (program: string): string => program.slice(program.lastIndexOf('/') + 1);

const some = (programs: ReadonlySet<string>, of: ReadonlySet<string>): boolean =>
  [...programs].some(program => of.has(baseOf(program)));

/** Whether one of these programs has options such as `-name`. */
export const isOneDash = (programs: ReadonlySet<string>): boolean => some(programs, ONE_DASH);

/** The strictest of these programs. */
export const strictnessOf = (programs: ReadonlySet<string>): Strictness => {
  if (some(programs, UP_TO_OPERAND)) return 'operand';
  return some(programs, UP_TO_VERB) ? 'verb' : 'everywhere';
};

/** Whether a synopsis with this option is of the one-dash style: `-name`, but neither `-20` nor `-w=false`. */
export const isOneDashName = (name: string): boolean => /^-[^-=0-9][^=]|^-[0-9]+[^0-9]/.test(name);
