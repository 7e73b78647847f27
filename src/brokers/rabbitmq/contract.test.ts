import { after, before } from "node:test";
import { brokerContract } from "../../../test/contracts/broker.ts";
import { type RabbitServer, startRabbit } from "../../../test/servers/rabbitmq.ts";
import { systemClock } from "../../daemon/clock.ts";
import { rabbitBroker } from "./broker.ts";

let server: RabbitServer;
before(async () => {
  server = await startRabbit();
});
after(() => server[Symbol.asyncDispose]());

const except = {
  "a message that one queue refuses is in no other":
    "RabbitMQ routes to each queue by itself: queues with room have it, and the publisher repeats it with its messageId",
};

for (const queues of ["quorum", "classic"] as const) {
  const open = async () => ({
    connect: () => rabbitBroker({ url: server.url, queues, log: () => {}, clock: systemClock }),
    async [Symbol.asyncDispose]() {},
  });
  brokerContract(`rabbitmq, ${queues}`, open, { except });
}
