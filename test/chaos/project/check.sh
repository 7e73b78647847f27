# Every line is a row, and the last one counts them.
grep -v -E '^([0-9a-f-]{36} [a-z0-9-]+ [0-9.]+|# end [0-9]+)$' "$1" && exit 1
[ "$(tail -n 1 "$1")" = "# end $(($(wc -l < "$1") - 1))" ]
