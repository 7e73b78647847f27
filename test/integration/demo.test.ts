import { holdsTheDay } from "./demo.fixture.ts";

holdsTheDay({ live: false });
