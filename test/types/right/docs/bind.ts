import { bind } from "trigger";

export default bind({
  zone: "campus.example",
  reverse: ["10.0.0.0/16", "2001:db8:1::/48"],
  reserved: ["www", "mail", "ns1"],
});
