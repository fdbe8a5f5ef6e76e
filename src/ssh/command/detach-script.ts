import { MARK_NAME } from './mark.ts';
import { REAPER_NAME } from './reap-script.ts';

/** Where a host keeps what detached commands write: a folder each, private, and gone a week after their end. */
const PLACE = `base=\${XDG_STATE_HOME:-\${HOME:?}/.local/state}/sallyport/detached dir=$base/$id`;

/**
 * Starts a program that outlives its channel, and answers at once. Arguments: a nonce that begins each line of the answer, the
 * command's id, the seconds that it may take, the reaper with what it gives INT, TERM and KILL, the mark, and the program's words,
 * which set that mark. Answers `started`, or `refused` with why. Its output goes to files, its end to one that is renamed into place:
 * `exited CODE` or `timed_out`. Hang-ups are ignored, as by nohup.
 */
export const DETACH_SCRIPT = `
mask=$(umask); umask 077
nonce=$1 id=$2 seconds=$3 reaper=$4 int=$5 term=$6 kill=$7 mark=$8; shift 8
say() { printf '\\n%s %s\\n' "$nonce" "$*"; }
${PLACE}
for old in "$base"/*/end; do
  [ -n "$(find "$old" -mtime +7 2>/dev/null)" ] && rm -rf -- "\${old%/end}"
done
mkdir -p -- "$base" && mkdir -- "$dir" || { say refused the folder cannot be made; exit 0; }
trap '' HUP
tell() { [ -e "$dir/end" ] || { printf '%s\\n' "$*" >"$dir/end.new" && mv -- "$dir/end.new" "$dir/end"; }; }
attend() {
  "$@" </dev/null >"$dir/stdout" 2>"$dir/stderr" &
  program=$!
  {
    trap 'kill -s KILL "$nap"; exit 0' USR1
    sleep "$seconds" & nap=$!
    wait "$nap"
    tell timed_out
    ${REAPER_NAME}=$nonce /bin/sh -c "$reaper" sh "$nonce" "$int" "$term" "$kill" "$mark"
  } &
  clock=$!
  wait "$program"; code=$?
  tell exited "$code"
  kill -s USR1 "$clock"
}
( exec </dev/null >/dev/null 2>&1; umask "$mask"; attend "$@" ) &
say started
`;

/**
 * Passes on what a detached command wrote, as a command that writes it now: from two byte offsets on, each stream on its own,
 * until its end or for so many seconds. Arguments: the id, the mark, the offsets, the seconds. Its own end says how it stands: exit
 * with the program's code, or a signal: TERM when it still runs, USR1 when it was cancelled, ALRM when it ran out of time, USR2 when it
 * is gone without a word, KILL when the host knows nothing of it.
 */
export const FOLLOW_SCRIPT = `
id=$1 mark=$2 out=$3 err=$4 seconds=$5
${PLACE}
die() { kill -s "$1" $$; }
[ -d "$dir" ] || die KILL
pass() {
  size=$2
  [ -f "$1" ] || return 0
  size=$(($(wc -c <"$1")))
  [ "$size" -le "$2" ] || tail -c "+$(($2 + 1))" "$1" | head -c "$((size - $2))"
}
alive() { grep -qsF "${MARK_NAME}=$mark" /proc/[0-9]*/environ /proc/[0-9]*/cmdline; }
turns=0
while :; do
  ended=; [ -e "$dir/end" ] && read -r ended code <"$dir/end"
  [ -z "$ended" ] && ! alive && { sleep 1; [ -e "$dir/end" ] && continue; ended=gone; }
  pass "$dir/stdout" "$out"; out=$size
  pass "$dir/stderr" "$err" >&2; err=$size
  case $ended in
    exited) exit "$code" ;;
    timed_out) die ALRM ;;
    cancelled) die USR1 ;;
    gone) die USR2 ;;
  esac
  [ "$turns" -lt "$seconds" ] || die TERM
  turns=$((turns + 1)); sleep 1
done
`;

/** Leaves word that a detached command was cancelled, unless it has its end. Arguments: the id. */
export const CANCELLED_SCRIPT = `
umask 077
id=$1
${PLACE}
[ -d "$dir" ] || exit 0
[ -e "$dir/end" ] || { printf 'cancelled\\n' >"$dir/end.new" && mv -- "$dir/end.new" "$dir/end"; }
`;
