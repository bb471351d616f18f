# The probe for images that may lack Python: POSIX sh and the first of python3, curl, wget, nc and bash. The arguments
# are the Python probe and what it reads, then host, port and path (empty for a connection alone) of each target. A line
# for each target: its number, the tool, the tool's exit code, what getent found | all that the tool said.
# ecs_exec.py joins the lines with spaces: each ends where a space may follow.
python=$1; input=$2; shift 2;
export LC_ALL=C; set -f; IFS=$(printf " \t\r\n|"); IFS=${IFS%|};
has() { command -v "$1" >/dev/null 2>&1; };
has python3 && printf "%s" "$input" | python3 -I -c "$python" && exit 0;
tool=none; verbose=-v;
has bash && tool=bash;
has wget && tool=bbwget;
has nc && tool=nc;
has wget && wget --version >/dev/null 2>&1 && tool=wget;
has curl && tool=curl;
[ $tool = nc ] && case $(nc -h </dev/null 2>&1) in *BusyBox*) tool=bbnc; verbose= ;; esac;
limited() {
  { "$@" <&3 & } 3<&0; job=$!;
  { sleep 5; kill -9 $job; } >/dev/null 2>&1 & watch=$!;
  wait $job 2>/dev/null; code=$?; kill $watch 2>/dev/null; return $code;
};
request() {
  [ -z "$3" ] || printf "GET %s HTTP/1.0\r\nHost: %s:%s\r\nConnection: close\r\n\r\n" "$3" "$1" "$2";
};
talk="exec 3<>\"/dev/tcp/\$0/\$1\" || exit 7; echo connected;
  [ -z \"\$2\" ] || { printf \"%s\n\" \"\$2\" >&3; read -r -t 2 line <&3; echo \"\$line\"; }";
try() {
  url="http://$1:$2${3:-/}"; method=HEAD; [ -z "$3" ] || method=GET;
  case $tool in
    curl) set -- -q -g -v -s -m 4 --connect-timeout 2 --noproxy "*" -o /dev/null;
      [ $method = GET ] || set -- "$@" -I;
      limited curl "$@" "$url" ;;
    wget) set -- -S -T 2 -t 1 --no-proxy --max-redirect=0 -O /dev/null;
      [ $method = GET ] || set -- "$@" --spider;
      limited wget "$@" "$url" ;;
    bbwget) limited wget -Y off -O /dev/null "$url" ;;
    nc|bbnc) request "$@" | limited nc $verbose -w 2 "$1" "$2" ;;
    bash) limited bash -c "$talk" "$1" "$2" "$(request "$@")" ;;
    none) return 127 ;;
  esac;
};
one() {
  number=$1; shift;
  found=$(has getent && limited getent hosts "$1" </dev/null 2>/dev/null);
  said=$(try "$@" 2>&1); code=$?;
  printf "%s\n" "fleetform-sh $number $tool $code $(echo $found "|" $said)";
};
number=0;
while [ $# -ge 3 ]; do
  one $number "$1" "$2" "$3" </dev/null &
  number=$((number + 1)); shift 3;
  [ $((number % 16)) -ne 0 ] || wait;
done;
wait;
