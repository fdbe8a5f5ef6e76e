import { MARK_NAME } from './mark.ts';

/** The environment variable by which the reaper proves to itself that it can read environments. */
export const REAPER_NAME = 'SALLYPORT_REAPER';

/**
 * Which processes belong to the marks, for awk: reads a line of what earlier looks found, the paths under /proc that
 * carry one, a line `=`, and every /proc/PID/stat behind its path (a program's name may hold anything, also a line feed, so the pid
 * is taken from the path, and the fields from behind the last parenthesis). Prints `ok`, then `pid:start` of the living, `/`, the
 * groups and sessions that were ever ours, `/`, and what to signal: `-PGID`, or a pid whose group is not ours alone. Never the reaper, what it
 * runs, or what it descends from. A group outlives those that one look saw in it, and its number is nobody else's as long as it has no
 * new leader. `restless` is among the living when something marked was gone before its turn came: it may have left a child.
 */
const CLOSURE = `
NR == 1 { n = split($0, w, " "); for (i = 1; i <= n; i++) known[w[i]] = 1; next }
$0 == "=" { stats = 1; next }
!stats {
  split($0, w, "/"); file = "/proc/" w[3] "/environ"
  if (w[4] == "environ" || (getline line < file) >= 0) marked[w[3]] = 1
  close(file); next
}
{
  split($0, w, "/"); pid = w[3]; line = $0
  sub(/^.*\\) /, "", line)
  if (split(line, f, " ") < 20 || f[1] ~ /[ZXx]/) { dead[pid] = 1; next }
  parent[pid] = f[2]; group[pid] = f[3]; session[pid] = f[4]; key[pid] = pid ":" f[20]
}
function held(id) { return !(id in parent) || key[id] in known }
END {
  if (!(self in parent) || !(self in marked)) exit
  for (p = self; p > 1 && p in parent && !(p in safe); p = parent[p]) {
    safe[p] = 1; safeGroup[group[p]] = 1; safeSession[session[p]] = 1
  }
  safe[1] = 1; safeGroup[0] = 1; safeGroup[1] = 1; safeSession[0] = 1; safeSession[1] = 1
  do {
    again = 0
    for (p in parent) if (!(p in safe) && (parent[p] == self || parent[p] in own)) { safe[p] = 1; own[p] = 1; again = 1 }
  } while (again)
  do {
    again = 0
    for (p in parent) {
      if (p in ours || p in safe) continue
      q = parent[p]
      if (!(p in marked || key[p] in known || q in ours || group[p] in ourGroup || session[p] in ourSession || \
        ("g" group[p]) in known && held(group[p]) || ("s" session[p]) in known && held(session[p]))) continue
      ours[p] = 1; again = 1
      if (!(group[p] in safeGroup)) ourGroup[group[p]] = 1
      if (!(session[p] in safeSession)) ourSession[session[p]] = 1
    }
  } while (again)
  printf "ok"
  for (p in ours) printf " %s", key[p]
  for (p in marked) if (!(p in parent) && !(p in dead)) { printf " restless"; break }
  printf " /"
  for (id in known) if (id ~ /^[gs]/ && held(substr(id, 2))) printf " %s", id
  for (id in ourGroup) if (!(("g" id) in known)) printf " g%s", id
  for (id in ourSession) if (!(("s" id) in known)) printf " s%s", id
  printf " /"
  for (p in ours) {
    g = group[p]
    if (!(g in ourGroup)) { if (p ~ /^[0-9]+$/ && p + 0 > 1) printf " %s", p }
    else if (!(g in told) && g ~ /^[0-9]+$/ && g + 0 > 1) { told[g] = 1; printf " -%s", g }
  }
  print ""
}`;

/**
 * Stops everything that carries one of the marks, and proves it. A mark is in the environment or, of a login shell that set it
 * by itself, on the command line; that counts only where the environment may be read as well: what another account writes
 * on its own is no mark of ours. Arguments: a nonce that begins each line of the answer, the milliseconds given to INT, TERM
 * and KILL, then the marks. Answers `rung NAME` for each signal sent, `blind` when it cannot see, `left PID COMMAND` for what
 * is alive at the end, and last of all `end`. It goes on when nobody listens any more.
 */
export const REAP_SCRIPT = `closure='${CLOSURE}'
trap '' HUP INT PIPE TERM
LC_ALL=C; export LC_ALL
nonce=$1 int=$2 term=$3 kill=$4; shift 4
say() { printf '\\n%s %s\\n' "$nonce" "$*"; }
count=$#
while [ "$count" -gt 0 ]; do
  set -- "$@" -e "${MARK_NAME}=$1"; shift; count=$((count - 1))
done
set -- "$@" -e "${REAPER_NAME}=$nonce"
if grep -qsF "${REAPER_NAME}=$nonce" /proc/self/environ; then
  carriers() { grep -lsF "$@" /proc/[0-9]*/environ /proc/[0-9]*/cmdline; }
else
  carriers() {
    for file in /proc/[0-9]*/environ /proc/[0-9]*/cmdline; do
      { tr '\\0' '\\n' <"$file" | grep -qF "$@"; } && echo "$file"
    done
  }
fi
alive= tracks= targets=
look() {
  answer=$({ echo "$alive $tracks"; carriers "$@"; echo =; grep -as '' /proc/[0-9]*/stat; } 2>/dev/null | awk -v self=$$ "$closure" 2>/dev/null)
  case $answer in 'ok '*) ;; *) say blind; say end; exit 0 ;; esac
  answer=\${answer#ok}; alive=\${answer%%/*}; alive=\${alive# }; alive=\${alive% }
  answer=\${answer#*/}; tracks=\${answer%%/*}; targets=\${answer#*/}
}
nap() { sleep 0.0$1 2>/dev/null || sleep 1; }
now() { read -r up _ </proc/uptime; up=\${up%.*}\${up#*.}; up=\${up#0}; up=\${up#0}; }
gone() { [ -z "$alive" ] && { look "$@"; [ -z "$alive" ]; }; }
rung() {
  name=$1 grace=$2 told=; shift 2
  say rung "$name"
  now; until=$((up + grace / 10)); pause=1
  while :; do
    for target in $targets; do
      case "$name $told " in
        KILL*) ;;
        *" $target "*) continue ;;
      esac
      told="$told $target"
      kill -s "$name" -- "$target"
    done 2>/dev/null
    nap "$pause"; pause=2
    look "$@"
    gone "$@" && return 0
    now; [ "$up" -lt "$until" ] || return 1
  done
}
look "$@"
gone "$@" || rung INT "$int" "$@" || rung TERM "$term" "$@" || rung KILL "$kill" "$@"
for process in $alive; do
  [ "$process" = restless ] && { say blind; continue; }
  pid=\${process%:*}
  words=$(tr '\\000-\\037' ' ' 2>/dev/null </proc/"$pid"/cmdline | cut -c 1-200)
  [ -n "$words" ] || { read -r words </proc/"$pid"/comm; } 2>/dev/null
  say left "$pid" "$words"
done
say end
`;
