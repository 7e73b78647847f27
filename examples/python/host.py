#!/usr/bin/python3
"""A host of one service, as docs/protocol.md says; the client is pika (Debian: python3-pika).

    host.py URL HOST SERVICE [plain]

Prints a line of JSON for each plain message, and for each state of the table once that was found equal to the
transcriber's. It keeps the table in memory and so asks for all of it at each start: one for daily use has it on disk,
and acknowledges when it is there. It declares nothing: the transcriber has.
"""
import hashlib
import json
import sys
import time

import pika

VERSION = 1
BUCKETS, SPAN = 1024, 2**22


def sha256(text):
    return hashlib.sha256(text.encode()).digest()


def key_hash(key):
    return int.from_bytes(sha256(key)[:4], "big")


def older(a, b):
    """Whether the directory state a is older than b."""
    a, b = ({csn.split("#")[2]: csn for csn in state} for state in (a, b))
    pairs = [(a.get(server, ""), b.get(server, "")) for server in {*a, *b}]
    return any(one < other for one, other in pairs) and all(one <= other for one, other in pairs)


class Table:
    def __init__(self, service):
        self.service = service
        self.cells = {}
        self.mark = None
        self.doubt = True
        self.equal = None
        self.pieces = []  # the rows of each piece so far, of the change `change`
        self.change = None
        self.repair = []

    def buckets(self):
        sums = [0] * BUCKETS
        for key, cell in self.cells.items():
            text = json.dumps([self.service, key, cell], ensure_ascii=False, separators=(",", ":"))
            sums[key_hash(key) // SPAN] += int.from_bytes(sha256(text), "big")
        return [f"{total % 2**256:064x}" for total in sums]

    def root(self, buckets):
        return sha256(f"{len(self.cells)}\n{''.join(buckets)}").hex()

    def move(self, message, doubt=False):
        self.mark = {name: message[name] for name in ("epoch", "seq", "asOf")}
        self.doubt = self.doubt or doubt
        self.pieces, self.change = [], None

    def take(self, message):
        """Follows one message, by the rules 1 to 7 of the page; gives what to tell the transcriber."""
        mark, place = self.mark, (message["epoch"], message["seq"])
        if mark:
            held = (mark["epoch"], mark["seq"])
            if place[0] < held[0]:
                return self.refusal(message, "epoch")
            if place < held or (place == held and message["kind"] == "rows"):
                return None
            meant = message.get("rolledBack") is True and place[0] != held[0]
            if not meant and older(message["asOf"]["state"], mark["asOf"]["state"]):
                return self.refusal(message, "asOf")
        want = getattr(self, message["kind"])(message, place)
        return want and {"kind": "ask", "want": want}

    def refusal(self, message, because):
        held = {name: self.mark[name] for name in ("epoch", "asOf")}
        return {"kind": "refusal", **held, "refused": message["epoch"], "because": because}

    def rows(self, message, place):
        if self.change != place:
            self.pieces, self.change = [], place
        if message["piece"] < len(self.pieces):
            return None
        if message["piece"] > len(self.pieces):
            self.move(message, doubt=True)
            return "digest"
        self.pieces.append(message["rows"])
        if message["more"]:
            return None
        for key, cell in [row for piece in self.pieces for row in piece]:
            if cell is None:
                self.cells.pop(key, None)
            else:
                self.cells[key] = cell
        gap = not self.mark or place != (self.mark["epoch"], self.mark["seq"] + 1)
        self.move(message, doubt=gap)
        return "digest" if gap else None

    def digest(self, message, place):
        mine = self.buckets()
        same = message["root"] == self.root(mine)
        self.move(message, doubt=not same)
        if same:
            self.doubt, self.repair, self.equal = False, [], self.mark
            return None
        theirs = message.get("buckets")
        if theirs is None:
            return "buckets"
        if len(theirs) != BUCKETS:
            self.repair = [(0, 2**32)]
        else:
            self.repair = []
            for bucket in (number for number in range(BUCKETS) if mine[number] != theirs[number]):
                start = bucket * SPAN
                if self.repair and self.repair[-1][1] == start:
                    start = self.repair.pop()[0]
                self.repair.append((start, (bucket + 1) * SPAN))
        return self.next_range() if self.repair else None

    def part(self, message, place):
        start, end = message["from"], message["to"]
        self.cells = {key: cell for key, cell in self.cells.items() if not start <= key_hash(key) < end}
        self.cells.update(message["rows"])
        rest = [piece for a, b in self.repair for piece in ((a, min(b, start)), (max(a, end), b)) if piece[0] < piece[1]]
        repaired, self.repair = rest != self.repair, rest
        self.move(message, doubt=not self.mark or place != (self.mark["epoch"], self.mark["seq"]))
        return self.next_range() if repaired else None

    def next_range(self):
        return {"from": self.repair[0][0], "to": self.repair[0][1]} if self.repair else "digest"


def show(value):
    print(json.dumps(value), flush=True)


def ours(method, properties, keys):
    """True for a message that its publisher had the right to send here."""
    return method.routing_key in keys and "x-death" not in (properties.headers or {})


def main(url, host, service, form="table"):
    parameters = pika.URLParameters(url)
    connection = pika.BlockingConnection(parameters)
    channel = connection.channel()
    proven = pika.BasicProperties(delivery_mode=2, user_id=parameters.credentials.username)
    channel.basic_qos(prefetch_count=100)
    table, shown = Table(service), None
    question = {"kind": "ask", "want": "digest"} if form == "table" else None
    wait, due = 5, 0
    answers = {}

    def say(message):
        body = json.dumps({"trigger": VERSION, "host": host, **message})
        channel.basic_publish("trigger", "trigger.report", body.encode(), proven)

    def ask(want):
        nonlocal question, wait, due
        question, wait, due = want, 5, 0

    def read(body):
        message = json.loads(body)
        own = isinstance(message, dict) and "trigger" in message and "kind" in message
        return message, own

    def data(_, method, properties, body):
        nonlocal question
        if ours(method, properties, (f"trigger.{service}", f"trigger.{service}.{host}")):
            message, own = read(body)
            if not own:
                show(message)
            elif message["trigger"] != VERSION or message.get("service") != service:
                print("not understood:", message, file=sys.stderr)
            elif message["kind"] in ("rows", "digest", "part"):
                answer, question = table.take(message), None
                if answer and answer["kind"] == "ask":
                    ask(answer)
                elif answer:
                    say({"service": service, **answer})
        channel.basic_ack(method.delivery_tag)

    def obey(order):
        if order["service"] != service:
            return {"done": False, "text": f"{host} does not run {order['service']}"}
        if order["order"] != "verify" or form != "table":
            return {"done": False, "text": f"this host takes no {order['order']}"}
        ask({"kind": "ask", "want": "digest"})
        return {"done": True, "text": "its rows are being compared"}

    def control(_, method, properties, body):
        if ours(method, properties, ("trigger.control", f"trigger.control.{host}")):
            order, own = read(body)
            if own and order["trigger"] == VERSION and order["kind"] == "order" and host in order["hosts"]:
                outcome = answers.get(order["id"]) or obey(order)
                answers[order["id"]] = outcome
                at = int(time.time() * 1000)
                say({"kind": "answer", "order": order, "way": "broker", "outcome": outcome, "at": at})
        channel.basic_ack(method.delivery_tag)

    channel.basic_consume(f"trigger-{host}-{service}", data)
    channel.basic_consume(f"trigger-{host}-control", control)
    while True:
        if question and time.monotonic() >= due:  # asked again until something of the stream is heard
            say({"service": service, **question})
            wait, due = min(wait * 2, 60), time.monotonic() + wait
        if table.equal and table.cells != shown:
            show({"equal": not table.doubt, "mark": table.mark, "cells": table.cells})
            shown = dict(table.cells)
        connection.process_data_events(time_limit=0.5)


main(*sys.argv[1:])
