/**
 * Prints how a terminal is set and who is in its foreground. Arguments: a nonce that begins each line of the answer, the
 * terminal's device, and the first process on it. Answers `set` with the words of stty, `machine`, `process PID STATE WCHAN CALL
 * NAME` for each process of the foreground group (wchan and the system call's number where they may be seen), and last `end`.
 */
export const TTY_SCRIPT = `nonce=$1 tty=$2 leader=$3
LC_ALL=C; export LC_ALL
set -f
say() { printf '\\n%s %s\\n' "$nonce" "$*"; }
modes=$(stty -a -F "$tty" 2>/dev/null || stty -a 2>/dev/null <"$tty")
say set $modes
say machine "$(uname -m 2>/dev/null)"
set +f
grep -as '' /proc/[0-9]*/stat 2>/dev/null | awk -v leader="$leader" '
{
  split($0, w, "/"); pid = w[3]; line = $0
  sub(/^.*\\) /, "", line)
  if (split(line, f, " ") < 20) next
  state[pid] = f[1]; group[pid] = f[3]; front[pid] = f[6]
}
END { for (p in group) if (leader in front && group[p] == front[leader] && n++ < 16) print p, state[p] }' |
while read -r pid state; do
  wchan=; call=; name=
  { read -r wchan; } 2>/dev/null </proc/"$pid"/wchan
  { read -r call _; } 2>/dev/null </proc/"$pid"/syscall
  { read -r name; } 2>/dev/null </proc/"$pid"/comm
  say process "$pid" "$state" "\${wchan:-0}" "\${call:--}" "$name"
done
say end
`;
