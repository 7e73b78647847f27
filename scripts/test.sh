#!/bin/sh
# All tests, on every part of the machine that they need. The simulation is played last and alone: its schedules take both cores.
set -eu
cd "$(dirname "$0")/.."

sh scripts/setup.sh test
npm run --silent check
node --test --test-concurrency=2 --test-timeout=300000 "src/**/*.test.ts" "test/*.test.ts" "test/!(simulation)/**/*.test.ts"
echo "the simulation:"
node --test --test-concurrency=1 --test-timeout=300000 "test/simulation/**/*.test.ts"
