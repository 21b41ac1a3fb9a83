//! The seeds of the fuzz target's corpus as they are, and many times with bytes changed.

use crate::answer::answer;
use world::Random;

const ROUNDS: usize = 20_000;

const TOKENS: &[&str] = &[
    "\"",
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "true",
    "-",
    "0",
    "1e999",
    "\\u0000",
    "\\ud800",
    "\\",
    "\"S\":",
    "\"N\":\"x\"",
    "&",
    "=",
    "%",
    ".member.1",
    " ",
    "é",
    "\u{0}",
    "\u{7f}",
    "\n",
    "/",
    "?",
    ";",
    "aws4_request",
];

fn corpus() -> Vec<Vec<u8>> {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/request");
    let mut paths: Vec<_> = std::fs::read_dir(root)
        .expect("the committed corpus")
        .map(|entry| entry.expect("a seed").path())
        .collect();
    paths.sort();
    paths.into_iter().map(|path| std::fs::read(path).expect("a seed")).collect()
}

fn mutate(random: &mut Random, bytes: &mut Vec<u8>) {
    let at = random.below(bytes.len() as u64 + 1) as usize;
    let to = (at + random.below(30) as usize).min(bytes.len());
    match random.below(6) {
        0 => bytes.truncate(at),
        1 => drop(bytes.splice(at..at, TOKENS[random.below(TOKENS.len() as u64) as usize].bytes())),
        2 if at < bytes.len() => bytes[at] = random.next_u64() as u8,
        3 => drop(bytes.drain(at..to)),
        4 => {
            let part = bytes[at..to].to_vec();
            bytes.splice(at..at, part);
        }
        _ => {}
    }
}

#[test]
fn mutated_requests_are_answered() {
    let seeds = corpus();
    assert!(!seeds.is_empty());
    seeds.iter().for_each(|seed| answer(seed));
    let mut random = Random::from_seed(0xf022);
    for round in 0..ROUNDS {
        let mut bytes = seeds[round % seeds.len()].clone();
        for _ in 0..=random.below(4) {
            mutate(&mut random, &mut bytes);
        }
        answer(&bytes);
    }
}
