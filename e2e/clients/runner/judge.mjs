// Whether what a client saw is what had to hold. Objects may say more than is expected of them; everything else is equal,
// or fits one of the matchers below.

const matchers = {
  /** A text that the regular expression is found in. */
  $match: (pattern, seen) => typeof seen === "string" && new RegExp(pattern, "s").test(seen),
  /** One of these. */
  $oneOf: (all, seen) => all.some((wanted) => fits(wanted, seen)),
  /** Nothing at all. */
  $absent: (_, seen) => seen === undefined,
  /** A list in which each of these is found, in any order, among others. */
  $has: (all, seen) => Array.isArray(seen) && all.every((wanted) => seen.some((value) => fits(wanted, value))),
  /** A list of just these, in any order. */
  $set: (all, seen) => Array.isArray(seen) && seen.length === all.length && matchers.$has(all, seen),
  /** A list that begins as this one does, and lacks at most its last entry. */
  $butLast: (all, seen) =>
    Array.isArray(seen) && seen.length >= all.length - 1 && fits(all.slice(0, seen.length), seen),
};

/** Whether `seen` is as `wanted` says. */
export function fits(wanted, seen) {
  if (Array.isArray(wanted)) {
    return Array.isArray(seen) && seen.length === wanted.length && wanted.every((value, at) => fits(value, seen[at]));
  }
  if (wanted === null || typeof wanted !== "object") return wanted === seen;
  const [name] = Object.keys(wanted);
  if (name?.startsWith("$")) return matcher(name)(wanted[name], seen);
  return seen !== null && typeof seen === "object" && Object.keys(wanted).every((key) => fits(wanted[key], seen[key]));
}

function matcher(name) {
  if (!(name in matchers)) throw new Error(`expected.json: there is no matcher ${name}`);
  return matchers[name];
}

/** What deviates: for each member that had to hold and does not, what was wanted and what was seen. */
export function deviations(hold, seen) {
  const wrong = Object.keys(hold).filter((key) => !fits(hold[key], seen[key]));
  // An error that nobody expects is the whole story.
  if (seen.error && (hold.error?.$absent ?? !("error" in hold))) return [{ member: "error", wanted: "none", seen: seen.error }];
  return wrong.map((member) => ({ member, wanted: hold[member], seen: seen[member] }));
}
