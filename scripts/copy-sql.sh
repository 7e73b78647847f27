#!/bin/sh
# Copies the migrations to where the compiled program looks for them: tsc copies no SQL.
set -eu
cd "$(dirname "$0")/../src"
find . -name '*.sql' | while read -r file; do
  mkdir -p "../dist/$(dirname "$file")"
  cp "$file" "../dist/$file"
done
