/**
 * The guard as a POSIX shell script, for dash, bash and busybox: the policy of `policy.ts`, for a guard that blocks in
 * `read` until klatch says something or has ended.
 *
 * A shell cannot wait for a pipe and for a time at once. It does not have to: the timers of `watchdog.ts` wake a klatch
 * that was stopped and kill one that hangs, so that at the deadlines there is a message or the end of the pipe.
 *
 * @module
 */

/** A time that never comes, in the script's unit. */
export const NEVER = 99_999_999_999;

/** What is ignored: everything that would end or stop a shell, as far as that is possible. */
const IGNORED = "1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 20 21 22 23 24 25 26 27 28 29 30 31";
const REAL_TIME = Array.from({ length: 31 }, (_, i) => 34 + i).join(" ");

/**
 * The script. Times are hundredths of a second on the clock of /proc/uptime, which counts suspension.
 *
 * Arguments: the process group (or `own`), the stop signal, how long after it KILL follows, the same after klatch's end,
 * the mark as `NAME=VALUE`, and for JSON output what follows the time in a line, up to the message. Standard input is the
 * pipe from klatch, standard output the pipe to klatch; 3 and 4 are both ends of the dead man's switch, which is held
 * open and never used.
 *
 * - `stat` looks at a process; `scan` sees what is left of the command and, given a signal, sends it to what has left
 *   the process group; `astray` tells cheaply that nothing has.
 * - KILL to the group is also this guard's end, so that nobody is left to look for what leaves the group meanwhile.
 *   `strike` therefore kills one process after the other first, wherever it is by then.
 * - `read` is tried twice, since only the end of the pipe fails twice in a row.
 * - A mark is a name and a nonce. A shell's `read` drops the NULs of an environment, so that a short one could be part of
 *   another process's variables; it is not used then.
 * - While a process executes a program, its environment is empty for a moment. One that may be the command is then
 *   looked at again. A kernel thread, a child of process 2, never has one.
 * - What is searched for without a number is younger than the guard: to read the environment of every process takes a
 *   shell too long. What a search costs is subtracted from the time until KILL.
 * - A line is written by a child, since standard error may be a pipe that nobody reads.
 * - Without a `sleep` that takes fractions, the loop looks at the clock without pausing.
 */
export const SHELL_GUARD = `trap '' ${IGNORED}
trap '' ${REAL_TIME} 2>/dev/null || :
pgid=$1 stop=$2 after=$3 alone=$4 mark=$5 json=$6
[ "$pgid" != own ] || pgid=$$
term=${NEVER} kill=${NEVER} command= start= armed= starting= stopping= orphaned= asked=
IFS=' '
now() { read -r t _ </proc/uptime; t=\${t%.*}\${t#*.}; t=\${t#0}; t=\${t#0}; }
by() { [ "$kill" -lt "$1" ] || kill=$1; }
pause() { sleep 0.05 >/dev/null 2>&1 3<&- 4<&- || :; }
say() {
  { if [ -n "$json" ]; then echo "{\\"time\\":\\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\\",$json$1\\"}"
    else echo "klatch guard: $1"; fi; } </dev/null >&2 3<&- 4<&- &
}
stat() {
  state= l=
  { while read -r l; do set -- "$l"; done <"/proc/$1/stat"; } 2>/dev/null
  set -- \${1##*') '}
  [ $# -gt 19 ] && state=$1 ppid=$2 group=$3 began=\${20}
}
marked() {
  [ "\${#mark}" -gt 20 ] || return 1
  { { some=
    while read -r l || [ -n "$l" ]; do some=1; case $l in *"$mark"*) return 0;; esac; done
    [ "$some" ] || blank=1; } <"/proc/$1/environ"; } 2>/dev/null
  return 1
}
runs() { stat "$command" && [ "$began" = "$start" ] && [ "$state" != Z ]; }
scan() {
  sig=$1 home= strays= whole= seen= blank=
  ! runs || [ "$group" != "$command" ] || whole=1
  list=$(exec cat /proc/[0-9]*/stat 2>/dev/null)
  set -f
  IFS='
'
  for l in $list; do
    case $l in
      "$$ "*) seen=1; continue;;
      "$command "* | *" $pgid "* | *" $command "*) ;;
      *) [ "$starting" ] || continue;;
    esac
    p=\${l%% *} IFS=' '
    set -- \${l##*') '}
    [ $# -gt 19 ] && [ "$1" != Z ] && [ "$1" != X ] || continue
    if [ "$3" = "$pgid" ]; then
      [ "$2" = $$ ] || { home=1; [ "$sig" != 9 ] || { strays=1; kill -9 "$p" 2>/dev/null; }; }
    elif { [ "$whole" ] && [ "$3" = "$command" ]; } || [ "$p.\${20}" = "$command.$start" ] ||
      { [ "$2" != 2 ] && { [ "$3" = "$command" ] || { [ "$starting" ] && [ "\${20}" -ge "$mine" ]; }; } &&
        marked "$p"; }
    then strays=1; [ -z "$sig" ] || kill "-$sig" "$p" 2>/dev/null; fi
  done
  IFS=' '
  set +f
  [ "$seen" ] || home=1
}
astray() {
  [ -z "$starting" ] || return 0
  [ -n "$command" ] || return 1
  if runs; then [ "$group" != "$pgid" ]; else kill -0 "-$command" 2>/dev/null; fi
}
left() {
  if [ -n "$command" ] && runs; then return 0; fi
  before=$t
  scan
  now
  cost=$((t - before))
  [ -n "$home$strays" ]
}
strike() {
  n=0
  while astray; do
    scan 9
    n=$((n + 1))
    [ -n "$strays" ] && [ $n -lt 100 ] || { [ -n "$blank" ] && [ $n -lt 20 ]; } || break
  done
}
reach() { ! astray || scan "$1"; kill "-$1" "-$pgid"; }
stat $$
mine=$began cost=0
echo ready
while read -r word a b || read -r word a b; do
  case $word in
    deadline) term=$a kill=$b; [ -n "$armed" ] || echo armed; armed=1;;
    starting) starting=1;;
    command) command=$a start=$b starting=;;
    stopping) by "$a"; stopping=1; break;;
  esac
done
now
[ -n "$stopping" ] || { orphaned=$t; by $((t + alone)); }
while now; [ "$t" -lt $((kill - 8 - cost - cost)) ]; do
  if [ -n "$stopping" ]; then
    stat $$
    [ "$ppid" = "$PPID" ] || { stopping= orphaned=$t; by $((t + alone)); continue; }
  elif left; then
    if [ -z "$asked" ]; then
      asked=1
      by $((t + after))
      if [ "$t" -lt "$term" ]; then say "klatch was killed: stopping the command"
      else say "klatch did not renew in time: stopping the command"; fi
      reach "$stop"
      [ "$stop" = 9 ] || reach 18
    fi
  elif [ -z "$blank" ] && [ $((t - orphaned)) -ge 30 ]; then kill -9 "-$pgid"; fi
  pause
done
if [ -z "$stopping" ] && left; then say "the command did not end in time: killed it"; fi
[ "$t" -ge "$kill" ] || pause
strike
if [ -n "$command" ] && runs; then kill -9 "$command"; strike; fi
kill -9 "-$pgid"
`;
