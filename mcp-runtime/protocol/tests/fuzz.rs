//! The fuzz targets without a fuzzer: every seed, and the same 20,000 inputs mutated from them on each run.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../fuzz/src/lib.rs"]
#[allow(
    unreachable_pub,
    dead_code,
    reason = "a crate of its own for cargo-fuzz; each test calls one of its targets"
)]
mod targets;

use std::{fs, path::PathBuf};

/// Mutated inputs of each of the four targets.
const ROUNDS: usize = 5_000;

/// What JSON and streams of events are made of.
const PIECES: [&str; 16] = [
    "\"_meta\":{}",
    "\"resultType\":\"complete\"",
    "\"type\":\"array\"",
    "\"content\":",
    "\"requestState\":\"\"",
    "null",
    "[]",
    "{}",
    "[[[[",
    "\"\\u0000\"",
    "1e999",
    "-0",
    "\"method\":\"ping\"",
    "\n\ndata: ",
    "\r",
    "\u{fffd}",
];

/// A generator of the same numbers on every run (Marsaglia's xorshift).
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % (limit.max(1) as u64)).unwrap()
    }
}

fn seeds(target: &str) -> Vec<Vec<u8>> {
    let folder: PathBuf = [env!("CARGO_MANIFEST_DIR"), "fuzz", "seeds", target].iter().collect();
    let mut paths: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    assert!(paths.len() >= 4, "{target} has its seeds");
    paths.into_iter().map(|path| fs::read(path).unwrap()).collect()
}

/// One to four changes: a bit, a cut, a piece put in, a part of another seed.
fn mutated(seeds: &[Vec<u8>], numbers: &mut Numbers) -> Vec<u8> {
    let mut input = seeds[numbers.below(seeds.len())].clone();
    for _ in 0..=numbers.below(4) {
        let at = numbers.below(input.len() + 1);
        match numbers.below(4) {
            0 if at < input.len() => input[at] ^= 1 << numbers.below(8),
            1 => {
                let end = (at + numbers.below(12)).min(input.len());
                input.drain(at..end);
            }
            2 => drop(input.splice(at..at, PIECES[numbers.below(PIECES.len())].bytes())),
            _ => {
                let other = &seeds[numbers.below(seeds.len())];
                let from = numbers.below(other.len());
                let to = (from + numbers.below(40)).min(other.len());
                drop(input.splice(at..at, other[from..to].iter().copied()));
            }
        }
    }
    input
}

fn run(name: &str, target: fn(&[u8])) {
    let seeds = seeds(name);
    let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
    for seed in &seeds {
        target(seed);
    }
    for _ in 0..ROUNDS {
        target(&mutated(&seeds, &mut numbers));
    }
}

#[test]
fn bodies_of_clients() {
    run("accept", targets::accept);
}

#[test]
fn bodies_of_servers() {
    run("read_reply", targets::read_reply);
}

#[test]
fn streams_of_events() {
    run("sse", targets::sse);
}

#[test]
fn translations() {
    run("translate", targets::translate);
}
