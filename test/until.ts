/** Waits until a condition holds; after `within` milliseconds it throws what the condition last gave. */
export async function until(condition: () => unknown, { within = 10_000 } = {}): Promise<void> {
  const end = performance.now() + within;
  for (;;) {
    const value = await condition();
    if (value) return;
    if (performance.now() > end) throw new Error(`after ${within} ms it is still ${value}: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}
