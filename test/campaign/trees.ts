/** A tree of processes to stop: a text for a shell that stands when the file `up` is in its directory. */
export type Tree = {
  readonly what: string;
  /** `seconds` is a number that nobody else sleeps for. */
  readonly text: (seconds: string) => string;
  /** Only root can make it, or stop it. */
  readonly asRoot?: true;
  /** Every generation writes the file again: one that outlives the stop tells of itself. */
  readonly generations?: true;
};

/** A generation that begins the next one in a session of its own, deaf to INT and TERM. */
const HYDRA = `trap "" INT TERM; : >up; sleep 0.1; setsid sh -c "$0" "$0" & exit`;

/** What a stop must find and end, whichever way it is asked for. */
export const TREES: readonly Tree[] = [
  { what: 'one program', text: n => `: >up; exec sleep ${n}` },
  { what: 'a shell and its child', text: n => `: >up; sleep ${n}; echo never` },
  { what: 'a pipeline', text: n => `: >up; sleep ${n} | cat | cat >&2` },
  { what: 'a child in the background', text: n => `sleep ${n} & : >up; wait` },
  { what: 'a child whose parent is gone', text: n => `(sleep ${n} >/dev/null 2>&1 &); : >up; sleep ${n}` },
  { what: 'nohup', text: n => `nohup sleep ${n} >/dev/null 2>&1 & : >up; sleep ${n}` },
  { what: 'a session of its own', text: n => `setsid sleep ${n} >/dev/null 2>&1 & : >up; sleep ${n}` },
  {
    what: 'a double fork into a session of its own',
    text: n => `(setsid sh -c 'sleep ${n} & sleep ${n} & wait' >/dev/null 2>&1 &); : >up; sleep ${n}`,
  },
  { what: 'job control', text: n => `bash -c 'set -m; sleep ${n} & sleep ${n} & : >up; wait'` },
  { what: 'one that ignores INT', text: n => `trap '' INT; : >up; sleep ${n}; sleep ${n}` },
  { what: 'one that ignores INT and TERM', text: n => `trap '' INT TERM; : >up; while :; do sleep ${n}; done` },
  {
    what: 'one that blocks INT and TERM',
    text: () =>
      `exec perl -MPOSIX -e 'sigprocmask(SIG_BLOCK, POSIX::SigSet->new(SIGINT, SIGTERM)); open U, ">up"; close U; sleep 900 while 1'`,
  },
  { what: 'one that is stopped', text: n => `sleep ${n} & kill -s STOP $!; : >up; wait` },
  { what: 'children without an environment', text: n => `env -i sleep ${n} & env -i sleep ${n} & : >up; wait` },
  {
    what: 'a name made to look like a line of /proc',
    text: n => `bash -c 'printf "x\\n1 (y) S 1 1 1" >/proc/$$/comm; : >up; sleep ${n}; :'`,
  },
  { what: 'another name', text: n => `bash -c ': >up; exec -a "[kworker/0:1]" sleep ${n}'` },
  { what: 'a coprocess', text: n => `bash -c 'coproc sleep ${n}; : >up; wait'` },
  {
    what: 'the opening of a FIFO that nobody else opens',
    text: () => `mkfifo fifo; trap '' INT TERM; : >up; cat <fifo`,
  },
  {
    what: 'one that starts another at every signal',
    text: n => `trap 'setsid sleep ${n} &' INT TERM; : >up; while :; do sleep ${n} & wait; done`,
  },
  {
    what: 'a loop that forks without end',
    text: n => `: >up; while :; do sh -c 'sleep 0.1; exec sh -c "sleep ${n} & exit"' & sleep 0.05; done`,
  },
  {
    what: 'a chain of generations',
    text: () => 'next() { (: >up; sleep 0.05; next) & }; next; sleep 900',
    generations: true,
  },
  {
    what: 'a chain of deaf generations in sessions of their own',
    text: () => `sh -c '${HYDRA}' '${HYDRA}'; sleep 900`,
  },
  {
    what: 'a tree of sixty',
    text: n => `for i in 1 2 3 4 5 6; do (for j in 1 2 3 4 5 6 7 8 9; do sleep ${n} & done; wait) & done; : >up; wait`,
  },
  { what: 'sudo', text: n => `sudo -n sleep ${n} & : >up; wait`, asRoot: true },
  { what: 'another account', text: n => `setpriv --reuid=1 --clear-groups sleep ${n} & : >up; wait`, asRoot: true },
];

/** It has written over the mark that it was started with, and is all that is left of its command. */
export const TITLED = `exec perl -e '$0 = "x" x 4000; open U, ">up"; close U; sleep 900 while 1'`;

/** It has emptied its environment, left its session, forked twice, and closed all that it had open. */
export const HIDDEN = (seconds: string): string =>
  `(env -i setsid sh -c 'sleep ${seconds} & : >up' >/dev/null 2>&1 </dev/null &); sleep 900`;
