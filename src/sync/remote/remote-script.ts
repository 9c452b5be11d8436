import { syncPath } from '../../pod/workspace.ts'

/** What the script needs beside the shell, and beside a `dd` that has `fullblock`: some, as of an old BusyBox, have not. */
const needed = ['tar', 'mv', 'rm', 'mkdir', 'rmdir', 'cat', 'chmod']

/**
 * The other side of the sync exec: a batch is a line `number length` and a script of that length, which is run; what it
 * unpacks follows on the same stdin. Back goes a line `number code`. After a code that is not 0 nobody knows how much of
 * stdin was read: the exec ends.
 *
 * A script ends with `end number`, on which it can be told from one that was cut: the half of a name is another name.
 *
 * `unpack FOLDER` reads frames, `length\n` or `length z\n` and so many bytes, gzipped with the z, until a `0\n`. `dd` takes
 * exactly as much, BusyBox's and GNU's; a `head -c` or a tar on the shared stdin would take more. It takes it in pieces
 * that a pipe can hold: in one piece it would first wait for all of a frame, and then nobody would read on while tar works.
 * A tar that fails must not leave the rest of its archive unread, so that its failure can be told.
 *
 * `folder` makes sure of a folder that is one, and no link to one; `real` asks for that. Nothing is ever written, moved or
 * removed through a link. Who is not root may not change what is in a folder that is closed, with a mode such as 0555 or 0:
 * `opened` and `away` open it, and whoever asked for that closes it again.
 *
 * What must not be lost is spared: `noted` tells the files as they are, `kept` gives them second names right before others
 * take their places, and `spared` puts those back that are not as they were noted; their numbers follow the code.
 * Nobody can look and rename in one step, but what was written in between is in the file that was kept. On a full disk, or
 * where files have one name only, nothing is noted or kept, and all goes on without.
 *
 * Where `also` is set there must be these programs as well.
 *
 * `alone` ends the one before it, of a connection that was lost, which may still have something to do: no two are to change
 * the same files. An exec'd process leads a group. Its name makes sure that it is no other by now.
 */
export const remoteScript = `
export LC_ALL=C
take() {
  [ "$1" -lt 65536 ] || dd bs=65536 count=$(($1 / 65536)) iflag=fullblock || return
  [ $(($1 % 65536)) = 0 ] || dd bs=$(($1 % 65536)) count=1 iflag=fullblock
}
unpack() {
  while read -r n k && [ "$n" -gt 0 ]; do
    case $k in
    z) take "$n" | gzip -dc ;;
    *) take "$n" ;;
    esac || exit
  done 2>/dev/null | (
    umask 0
    cd "$1" && tar -x -p -o -f - || { c=$?; cat >/dev/null; exit "$c"; }
  )
}
real() { [ -d "$1" ] && [ ! -L "$1" ]; }
away() { rm -rf -- "$@" 2>/dev/null || { chmod -R u+rwx -- "$@"; rm -rf -- "$@"; }; }
folder() { real "$1" || { away "$1" && mkdir -- "$1"; }; }
writable() { [ -w "$1" ] && [ -x "$1" ] || chmod u+wx -- "$1"; }
opened() { folder "$1" && writable "$1"; }
stamps() { stat -c '%i %s %y' -- "$@" 2>/dev/null || :; }
noted() { { stamps "$@" >>notes; } 2>/dev/null || :; }
allnoted() { { echo end >>notes; } 2>/dev/null || :; }
kept() {
  g=$1
  shift
  { mkdir -p "kept/$g" && ln -- "$@" "kept/$g/"; } 2>/dev/null || :
}
isnoted() {
  while read -r s; do
    case $notes in
    *"
$s
"*) ;;
    *) return 1 ;;
    esac
  done
}
spared() {
  g=$1 i=$2 d=$3
  shift 3
  notes="
$(cat notes 2>/dev/null)
"
  case $notes in
  *"
end
") ;;
  *) return 0 ;;
  esac
  (cd "kept/$g" 2>/dev/null && stamps "$@") | isnoted && return
  for f; do
    if [ -f "kept/$g/$f" ] && ! stamps "kept/$g/$f" | isnoted; then mv -f -- "kept/$g/$f" "$d/$f" && echo "$i" >>spared; fi
    i=$((i + 1))
  done
}
alone() {
  if [ -e pid ]; then
    read -r p <pid
    case $(cat "/proc/$p/cmdline" 2>/dev/null) in
    *kuberun-sync) kill -9 "-$p" ;;
    esac
  fi 2>/dev/null
  echo $$ >pid
}
end() { read -r e && [ "$e" = "end $1" ]; }
m=
for t in ${needed.join(' ')} $also; do command -v "$t" >/dev/null || m="$m $t"; done
[ "$(printf ab | dd bs=1 count=1 iflag=fullblock 2>/dev/null)" = a ] || m="$m dd"
command -v gzip >/dev/null && z=gzip || z=
[ "$m" ] || {
  cd ${syncPath} && { [ -w root ] || { echo 'root: Permission denied' >&2; false; }; } &&
  alone && rm -rf stage kept notes spared && mkdir stage || exit 1
}
echo "ready $z:$m"
while read -r i n; do
  s=$(dd bs="$n" count=1 iflag=fullblock 2>/dev/null; echo .)
  case $s in
  *"end $i.") ;;
  *) exit 1 ;;
  esac
  (eval "\${s%.}")
  c=$? s=
  [ ! -e spared ] || { s=$(cat spared); rm -f spared; }
  echo "$i $c" $s
  [ "$c" = 0 ] || exit 1
done
`.trim()
