import { defineConfig } from "trigger";

// A mistake is said in the words of the config's own interfaces, which are what an editor shows.

const hosts = { ns1: ["dns"], civet: ["event"] };
const url = "amqps://mq.campus.example";

defineConfig({ hosts, broker: { url, heartbeet: 3 } }); // @expect 'heartbeet' does not exist in type 'BrokerConfig'
defineConfig({ hosts, broker: { url, queues: "quorom" } }); // @expect '"quorom"' is not assignable to type '"classic" | "quorum"
defineConfig({ hosts, broker: { ca: "ca.pem" } }); // @expect 'url' is missing in type '{ ca: string; }' but required in type 'BrokerConfig'
defineConfig({ hosts, directory: { url, bsae: "dc=campus" } }); // @expect 'bsae' does not exist in type 'Ld
defineConfig({ hosts, removals: { of: { dns: { share: "a" } } } }); // @expect 'string' is not assignable to type 'number'
defineConfig({ hosts, removals: { of: { dns: { of: {} } } } }); // @expect 'of' does not exist in type 'RemovalLimit'
defineConfig({ hosts, signing: { trust: [] } }); // @expect required in type 'Signing'
defineConfig({ hosts, waves: { dns: { order: ["ns1"] } } }); // @expect 'string' is not assignable to type 'readonly string[]'
defineConfig({ hosts: { ns1: "dns" } }); // @expect 'string' is not assignable to type 'readonly string[]'
