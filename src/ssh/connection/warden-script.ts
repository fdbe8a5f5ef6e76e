import { REAPER_NAME } from '../command/reap-script.ts';

/**
 * Stands watch on a host for one connection, and ends what was left in its care when that connection falls silent or closes.
 * Arguments: a nonce that begins each line it says, the seconds between two looks at the silence, the reaper, and the
 * milliseconds that the reaper gives INT, TERM and KILL then. Reads lines: `beat`, `guard MARK`, `release MARK`, `leave` (nothing is guarded any more), and
 * `reap NONCE INT TERM KILL MARK…`, whose answer is the reaper's. Says `up` when it stands, and `silent` when four looks in a row met no
 * beat: a relay between the channel and the reader is what the watchdog can cut, since no POSIX shell reads with a time limit.
 * A start that was on its way when the connection died is met by the second look, two seconds after the first.
 */
export const WARDEN_SCRIPT = `
trap '' HUP INT PIPE TERM
LC_ALL=C; export LC_ALL
set -f
nonce=$1 tick=$2 reaper=$3; shift 3
say() { printf '\\n%s %s\\n' "$nonce" "$*"; }
reap() { ${REAPER_NAME}=$1 /bin/sh -c "$reaper" sh "$@" </dev/null; }
watch() {
  trap 'silent=0' USR1
  trap 'kill -s KILL "$nap"; exit 0' USR2
  silent=0 nap=
  while [ "$silent" -lt 4 ]; do
    sleep "$tick" & nap=$!
    while kill -s 0 "$nap"; do wait "$nap"; done
    silent=$((silent + 1))
  done 2>/dev/null
  say silent
  kill -s KILL "$relay"
}
stand() {
  marks=
  read -r relay
  watch & watchdog=$!
  say up
  while read -r verb words; do
    case $verb in
      beat) kill -s USR1 "$watchdog" 2>/dev/null || { watch & watchdog=$!; } ;;
      guard) marks="$marks $words" ;;
      release) kept=; for mark in $marks; do [ "$mark" = "$words" ] || kept="$kept $mark"; done; marks=$kept ;;
      reap) reap $words & ;;
      leave) marks= ;;
    esac
  done
  kill -s USR2 "$watchdog" 2>/dev/null
  [ -z "$marks" ] && exit 0
  reap "$nonce" "$@" $marks >/dev/null
  sleep 2
  reap "$nonce" "$@" $marks >/dev/null
}
exec 3<&0
{ /bin/sh -c 'echo $$; exec cat' <&3 & wait; } 2>/dev/null | stand "$@"
`;
