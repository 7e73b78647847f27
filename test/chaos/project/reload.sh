# The daemon reads its file. A reload ends with who asked for it.
exec 9> "$1/lock"
flock 9
kill -0 $PPID || exit 1
cp "$1/names" "$1/served.new" && mv "$1/served.new" "$1/served"
