import assert from "node:assert/strict";
import { test } from "node:test";
import { refusalOf } from "./refusal.ts";

const target = { username: "trigger-box", vhost: "/", hostname: "mq.campus.example", port: 5671 };

test("the reason of a failed connection is one line, with its remedy", () => {
  const place = "ssl/tls alert bad certificate:../deps/openssl/record/rec_layer_s3.c:918:SSL alert number 42";
  const said: readonly (readonly [string, RegExp])[] = [
    [
      `40DD2B:error:0A000412:SSL routines:ssl3_read_bytes:${place}\n`,
      /^the server refused: bad certificate: broker\.cert/,
    ],
    [
      "error:0A00045C:tlsv13 alert certificate required:../x.c:9:SSL alert number 116",
      /: certificate required: broker/,
    ],
    ["self-signed certificate in certificate chain", /^self-signed .*broker\.ca/],
    ["Hostname/IP does not match certificate's altnames: Host: mq", /as the certificate does, .* subjectAltName/],
    ["40DD:error:0A00010B:SSL routines::wrong version number:../x.c:354:", /^TLS failed: 5671 is not a port of AMQPS$/],
    ["connect ECONNREFUSED 192.0.2.1:5671", /is RabbitMQ running/],
    ["getaddrinfo ENOTFOUND mq.campus.example", /broker\.url/],
    ["something\nelse", /^something else$/],
  ];
  for (const [why, pattern] of said) assert.match(refusalOf(why, target), pattern);
});
