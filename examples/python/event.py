#!/usr/bin/python3
"""Tells trigger of changes, and sends messages, as docs/protocol.md says; the client is pika (Debian: python3-pika).

    event.py URL event '[BEFORE, AFTER, ADDITIONAL]'    a binding: an entry was changed
    event.py URL SERVICE JSON                           a message to every host of a plain service

Ends well when the broker has the message on its disk.
"""
import json
import sys
import uuid

import pika


def publish(channel, service, value, message_id):
    channel.basic_publish(
        "trigger",
        f"trigger.{service}",
        json.dumps(value).encode(),
        pika.BasicProperties(delivery_mode=2, content_type="application/json", message_id=message_id),
        mandatory=True,  # a message that reaches no queue is an error here, not a loss
    )


def main(url, service, text):
    value = json.loads(text)
    message_id = str(uuid.uuid4())
    if service == "event":
        before, after, additional = value
        value = [message_id, before, after, additional]
    with pika.BlockingConnection(pika.URLParameters(url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()  # from now on publishing waits for the broker's word
        publish(channel, service, value, message_id)


main(*sys.argv[1:])
