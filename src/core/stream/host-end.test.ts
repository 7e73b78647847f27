import assert from "node:assert/strict";
import { test } from "node:test";
import { CellTable } from "./cell-table.ts";
import type { Cell, CellChange } from "./cells.ts";
import { hashEnd } from "./digest.ts";
import { type Followed, type Followup, follow } from "./host-end.ts";
import type { StreamMessage } from "./messages.ts";
import { StreamWriter } from "./transcriber-end.ts";

const asOf = (second: number) => ({ state: [`2026112210200${second}.000000Z#000000#001#000000`], clock: 0 });
const small = { rows: 2, bytes: 10 };

/** The transcriber's end: a table and the messages about it. */
function speaker(epoch: number, rows: readonly (readonly [string, Cell])[] = [], options = {}) {
  const table = new CellTable("dhcp");
  table.apply(rows);
  const telling = new StreamWriter("dhcp", table, { epoch, limits: small, ...options });
  return {
    table,
    telling,
    change(changes: readonly CellChange[], second = 1) {
      table.apply(changes);
      return telling.rows(changes, asOf(second));
    },
  };
}

/** The host's end, in memory. */
function listener() {
  let followed: Followed = {};
  let staged: CellChange[] = [];
  const table = new CellTable("dhcp");
  return {
    table,
    get followed() {
      return followed;
    },
    take(message: StreamMessage): Followup {
      const followup = follow(followed, message, table.digest);
      const { write } = followup;
      if (write?.kind === "stage") staged = [...(write.first ? [] : staged), ...write.rows];
      if (write?.kind === "rows") table.apply([...(write.staged ? staged : []), ...write.rows]);
      if (write?.kind === "part") table.replace(write.part);
      followed = followup.followed;
      return followup;
    },
  };
}

/** A host that compared equal with the empty table of a transcriber. */
function following(epoch: number) {
  const told = speaker(epoch);
  const host = listener();
  host.take(told.telling.digest(asOf(1)));
  return { told, host };
}

const mark = ({ followed }: { followed: Followed }) => [followed.mark?.epoch, followed.mark?.seq];

test("changes in sequence are taken without a question", () => {
  const { told, host } = following(1);
  for (const message of told.change([["a", "{}"]])) assert.equal(host.take(message).ask, undefined);
  for (const message of told.change([["a", null]])) host.take(message);
  assert.deepEqual(mark(host), [1, 2]);
  assert.equal(host.table.size, 0);
  assert.equal(host.followed.doubt, undefined);
});

test("a new host gets its table by a digest and parts, then is equal", () => {
  const told = speaker(
    1,
    Array.from({ length: 9 }, (_, number) => [`key${number}`, "{}"] as const),
  );
  const host = listener();
  let message: StreamMessage = told.telling.digest(asOf(1));
  for (let turns = 0; turns < 30 && !host.followed.equal; turns++) {
    const { ask } = host.take(message);
    assert.ok(ask || host.followed.equal, "a host that is not equal asks");
    if (ask === "digest" || ask === "buckets") message = told.telling.digest(asOf(1), { buckets: ask === "buckets" });
    else if (ask) message = told.telling.part(ask.from, ask.to, asOf(1));
  }
  assert.deepEqual(host.followed.equal, host.followed.mark);
  assert.equal(host.followed.doubt, undefined);
  assert.equal(host.table.digest.root, told.table.digest.root);
});

test("an empty table is asked for from end to end, neighbouring buckets at once", () => {
  const told = speaker(1, [["a", "{}"]]);
  const host = listener();
  host.table.set("a", "{old}");
  const ask = host.take(told.telling.digest(asOf(1), { buckets: true })).ask;
  assert.ok(typeof ask === "object" && ask.to - ask.from === hashEnd / 1024);
  const buckets = ["another number of buckets"];
  assert.deepEqual(host.take({ ...told.telling.digest(asOf(1)), buckets }).ask, { from: 0, to: hashEnd });
});

test("a gap is stored, doubted and asked about until the tables are equal", () => {
  const { told, host } = following(1);
  told.change([["lost", "{}"]]);
  const [message] = told.change([["a", "{}"]]);
  assert.equal(host.take(message!).ask, "digest");
  assert.equal(host.table.get("a"), "{}");
  assert.equal(host.followed.doubt, true);
  assert.equal(host.take(told.telling.digest(asOf(1))).ask, "buckets");
  host.table.set("lost", "{}");
  host.take(told.telling.digest(asOf(1)));
  assert.equal(host.followed.doubt, undefined);
});

test("rows that come again change nothing", () => {
  const { told, host } = following(1);
  const messages = [...told.change([["a", "{1}"]], 1), ...told.change([["a", "{2}"]], 2)];
  messages.forEach(host.take);
  for (const message of messages) assert.equal(host.take(message).dropped, "duplicate");
  assert.equal(host.table.get("a"), "{2}");
});

test("a repeated message is dropped in silence, not refused as an older directory", () => {
  const { told, host } = following(1);
  const again = [
    told.telling.digest(asOf(1)),
    told.telling.part(0, hashEnd, asOf(1)),
    ...told.change([["a", "{1}"]], 2),
  ];
  again.forEach(host.take);
  told.change([["a", "{2}"]], 3).forEach(host.take);
  assert.deepEqual(
    again.map((message) => host.take(message)).map(({ dropped, refused }) => dropped ?? refused),
    ["late", "late", "duplicate"],
  );
});

test("a part from before the mark does not take a key back", () => {
  const { told, host } = following(1);
  told.change([["a", "{1}"]]).forEach(host.take);
  const late = told.telling.part(0, hashEnd, asOf(1));
  told.change([["a", "{2}"]]).forEach(host.take);
  assert.equal(host.take(late).dropped, "late");
  assert.equal(host.table.get("a"), "{2}");
});

test("any message of an older epoch is answered with a refusal", () => {
  const old = speaker(1);
  const { host } = following(2);
  const messages = [
    ...old.change([["a", "{}"]], 9),
    old.telling.digest(asOf(9)),
    old.telling.part(0, hashEnd, asOf(9)),
  ];
  for (const message of messages) assert.equal(host.take(message).refused, "epoch");
  assert.deepEqual(mark(host), [2, 0]);
});

test("an older directory is refused, unless a new epoch was rolled back", () => {
  const host = listener();
  host.take(speaker(1).telling.digest(asOf(5)));
  assert.equal(host.take(speaker(2).telling.digest(asOf(4))).refused, "asOf");
  assert.deepEqual(mark(host), [1, 0]);
  const restored = speaker(3, [], { rolledBack: true });
  assert.equal(host.take(restored.telling.digest(asOf(4))).refused, undefined);
  assert.deepEqual(mark(host), [3, 0]);
  assert.equal(host.take(restored.telling.digest(asOf(3))).refused, "asOf", "only its first word may go back");
});

test("a change in pieces is stored as one, when its last piece has come", () => {
  const { told, host } = following(1);
  const pieces = told.change([
    ["a", "{12345}"],
    ["b", "{12345}"],
    ["c", "{12345}"],
  ]);
  assert.equal(pieces.length, 3);
  for (const piece of pieces.slice(0, 2)) {
    host.take(piece);
    assert.equal(host.take(piece).dropped, "duplicate", "a piece that comes again is not staged twice");
  }
  assert.equal(host.table.size, 0);
  assert.deepEqual(mark(host), [1, 0]);
  host.take(pieces[2]!);
  assert.equal(host.table.size, 3);
  assert.deepEqual(mark(host), [1, 1]);
  assert.equal(host.followed.pieces, undefined);
});

test("a change that lost a piece is a gap, and nothing is stored", () => {
  for (const lost of [0, 1]) {
    const { told, host } = following(1);
    const pieces = told.change([
      ["a", "{12345}"],
      ["b", "{12345}"],
      ["c", "{12345}"],
    ]);
    const asks = pieces.filter(({ piece }) => piece !== lost).map((piece) => host.take(piece).ask);
    assert.ok(asks.includes("digest"));
    assert.equal(host.table.size, 0);
    assert.equal(host.followed.doubt, true);
  }
});

test("pieces of another change or epoch do not make a change whole", () => {
  const { told, host } = following(1);
  host.take(
    told.change([
      ["a", "{12345}"],
      ["b", "{12345}"],
    ])[0]!,
  );
  const [, last] = told.change([
    ["c", "{12345}"],
    ["d", "{12345}"],
  ]);
  assert.equal(host.take(last!).ask, "digest");
  host.take(
    told.change([
      ["e", "{12345}"],
      ["f", "{12345}"],
    ])[0]!,
  );
  const taken = host.take(speaker(2).telling.digest(asOf(1)));
  assert.equal(taken.followed.pieces, undefined);
});

test("a part that was asked for twice asks for the next one once", () => {
  const told = speaker(
    1,
    Array.from({ length: 9 }, (_, number) => [`key${number}`, "{}"] as const),
  );
  const host = listener();
  const ask = host.take(told.telling.digest(asOf(1), { buckets: true })).ask;
  assert.ok(typeof ask === "object");
  const part = told.telling.part(ask.from, ask.to, asOf(1));
  assert.ok(host.take(part).ask);
  assert.equal(host.take(part).ask, undefined);
});

test("a root that differs over equal buckets ends the asking", () => {
  const { told, host } = following(1);
  const odd = { ...told.telling.digest(asOf(1), { buckets: true }), root: "odd" };
  assert.equal(host.take(odd).ask, undefined);
  assert.equal(host.followed.doubt, true);
});

test("a small table is asked for end to end, equal ranges between differences not", () => {
  const empty = "0".repeat(64);
  const row = "1".padStart(64, "0");
  const theirs = [empty, row, empty, row, empty, row, row, empty];
  const digest = { ...speaker(1).telling.digest(asOf(1)), root: "theirs", buckets: theirs };
  const asks = (mine: readonly string[]) =>
    follow({}, digest, { root: "mine", buckets: () => [...mine] }).followed.repair?.map(([from, to]) => [
      from / (hashEnd / 8),
      to / (hashEnd / 8),
    ]);
  assert.deepEqual(asks(theirs.map(() => empty)), [[1, 7]]);
  assert.deepEqual(asks([empty, empty, empty, row, empty, empty, row, empty]), [
    [1, 2],
    [5, 6],
  ]);
});

test("pieces of a change that never ended are not applied with the next", () => {
  const { told, host } = following(5);
  const cells = (keys: string): [string, Cell][] => [...keys].map((key) => [key, "{}"]);
  const [first] = told.change(cells("abcde"));
  host.take(first!);
  for (const piece of told.change(cells("vwxyz"))) host.take(piece);
  assert.deepEqual(
    [...host.table.entries()]
      .map(([key]) => key)
      .sort()
      .join(""),
    "vwxyz",
  );
});

test("a part from beyond the mark puts the table in doubt", () => {
  const { told, host } = following(5);
  told.change([["lost", "{}"]]);
  host.take(told.telling.part(0, 1, asOf(1)));
  assert.equal(host.followed.doubt, true);
});
