//! The spool against a list of numbers, with tails torn off in between.

use super::inner::Page;
use super::*;
use crate::mapping::typed;
use crate::source::RecordsPage;
use model::{Item, Value};
use std::fs::OpenOptions;
use testkit::TempDir;
use world::Random;

fn number(digits: u64) -> Sequence {
    Sequence::parse(&digits.to_string()).expect("a number")
}

fn item(id: u64) -> Item {
    [("id".to_owned(), Value::S(format!("i{id}")))].into_iter().collect()
}

fn record(digits: u64) -> Record {
    let old = digits.is_multiple_of(2).then(|| item(digits));
    let expired = old.is_some();
    Record {
        sequence: number(digits),
        keys: item(digits),
        old,
        new: Some(item(digits)),
        created_s: 7,
        expired,
    }
}

fn page(numbers: &[u64], end: bool, asked_ms: u64) -> Page {
    let records: Vec<Record> = numbers.iter().copied().map(record).collect();
    let last = records.last().map(|record| record.sequence.clone());
    let body = RecordsPage { records, next: None }.write();
    Page { records: last.map(|last| (last, body)), end, asked_ms }
}

fn open(dir: &TempDir, bytes_max: u64) -> Spool {
    let spool = Spool::open(dir.path(), "orders / ü", bytes_max).expect("a spool");
    spool.belongs("arn", 1, BTreeSet::new());
    spool
}

fn append(spool: &Spool, after: Option<u64>, numbers: &[u64]) -> bool {
    let after = after.map(number);
    spool.inner().append("s", after.as_ref(), page(numbers, false, 0))
}

/// Numbers that come after one; none: the source is asked.
fn next(spool: &Spool, after: Option<u64>) -> Option<Vec<u64>> {
    let after = after.map(number);
    match spool.next("s", after.as_ref()) {
        Given::Page(records) => {
            Some(records.iter().map(|record| record.sequence.to_string().parse().expect("digits")).collect())
        }
        Given::End => Some(Vec::new()),
        Given::Source => None,
        Given::Wait => panic!("nothing is being read"),
    }
}

#[test]
fn a_record_comes_back_as_it_was() {
    let records: Vec<Record> = (1..5).map(record).collect();
    let page = RecordsPage { records, next: None };
    assert_eq!(RecordsPage::read(&page.write()).expect("a page"), page);
    assert_eq!(typed(&item(1)), r#"{"id":{"S":"i1"}}"#);
}

/// Records are handed out in order until the last, and then the source is followed again: nothing more is kept.
#[test]
fn a_shard_is_followed_through_the_spool() {
    let dir = TempDir::new("spool");
    let spool = open(&dir, 1 << 20);
    assert_eq!(next(&spool, None), None, "nothing is kept");
    spool.follow(vec![("s".into(), None, Some(number(10)))]);
    assert!(append(&spool, Some(10), &[11, 12]) && append(&spool, Some(12), &[20]));
    assert!(!append(&spool, Some(12), &[20, 21]), "what does not follow the last record is not kept");
    assert_eq!(next(&spool, Some(9)), None, "before what is kept");
    assert_eq!(next(&spool, Some(10)), Some(vec![11, 12]));
    assert_eq!(next(&spool, Some(11)), Some(vec![12]));
    assert_eq!(next(&spool, Some(12)), Some(vec![20]));
    assert!(matches!(spool.next("s", Some(&number(20))), Given::Wait));
    spool.inner().append("s", Some(&number(20)), page(&[], false, 77));
    assert_eq!(next(&spool, Some(20)), None);
    assert!(!spool.stand().is_active && !append(&spool, Some(20), &[21]), "others read on");
    assert!(spool.stand().bytes > 0, "not all is durable in the target yet");
    spool.applied("s", &number(20));
    assert_eq!(spool.stand().bytes, 0);
}

/// All is safe only when every shard was seen to its tip, and what says so is on disk.
#[test]
fn what_is_secured_is_kept() {
    let dir = TempDir::new("spool");
    let spool = open(&dir, 1 << 20);
    let listed = |id: &str| Shard { id: id.into(), parent: None, closed: false };
    spool.follow(vec![("s".into(), None, None)]);
    spool.listed(&[listed("s"), listed("t")], 9000);
    spool.inner().append("s", None, page(&[1], false, 8000));
    spool.inner().append("s", Some(&number(1)), page(&[], false, 8000));
    spool.inner().secure();
    assert_eq!(spool.stand().secured_ms, 0, "of t nothing is known");
    spool.inner().append("t", None, page(&[], false, 8500));
    spool.inner().secure();
    assert_eq!(spool.stand().secured_ms, 8000);
    drop(spool);
    assert_eq!(open(&dir, 1 << 20).stand().secured_ms, 8000);
    let other = Spool::open(dir.path(), "orders / ü", 1).expect("a spool");
    assert!(Spool::open(dir.path(), "orders / ü", 1).is_err(), "one runner at a time");
    other.belongs("another arn", 1, BTreeSet::new());
    assert!(other.shards().is_empty() && other.stand().secured_ms == 0);
}

/// It never grows beyond its bound, says so, and goes on when there is room.
#[test]
fn a_full_spool_says_so() {
    let dir = TempDir::new("spool");
    let bound = 20_000;
    let spool = open(&dir, bound);
    spool.follow(vec![("s".into(), None, None)]);
    let mut last = None;
    while append(&spool, last, &[last.unwrap_or(0) + 1]) {
        last = Some(last.unwrap_or(0) + 1);
        assert!(spool.stand().bytes <= bound);
    }
    let full = last.expect("something fits");
    assert!(spool.stand().full.is_some() && full > 10);
    spool.applied("s", &number(full - 5));
    assert_eq!(spool.stand().full, None);
    assert!(append(&spool, last, &[full + 1]));
    assert_eq!(next(&spool, Some(full)), Some(vec![full + 1]));
}

/// Whatever is torn off, what is handed out follows what was asked for without a hole.
#[test]
fn a_torn_tail_leaves_no_hole() {
    for seed in 0..60 {
        let dir = TempDir::new("spool");
        let mut random = Random::from_seed(seed);
        let mut spool = open(&dir, 4000);
        spool.follow(vec![("s".into(), None, None)]);
        // The last number that is kept, and that is durable in the target.
        let (mut last, mut durable) = (0, 0);
        for _ in 0..60 {
            match random.below(8) {
                0 if last > durable => {
                    durable += 1 + random.below(last - durable);
                    spool.applied("s", &number(durable));
                }
                1 => {
                    drop(spool);
                    tear(&dir, &mut random);
                    spool = open(&dir, 4000);
                    spool.follow(vec![("s".into(), None, (durable > 0).then(|| number(durable)))]);
                    last = kept(&spool).max(durable);
                }
                2..4 => {
                    let mut at = durable;
                    while at < last {
                        let got = next(&spool, (at > 0).then_some(at)).expect("what was kept");
                        assert_eq!(got.first(), Some(&(at + 1)), "seed {seed}");
                        at = *got.last().expect("a record");
                    }
                }
                _ => {
                    let numbers: Vec<u64> = (last + 1..=last + 1 + random.below(4)).collect();
                    if append(&spool, (last > 0).then_some(last), &numbers) {
                        last = *numbers.last().expect("a number");
                    }
                }
            }
        }
    }
}

fn kept(spool: &Spool) -> u64 {
    let inner = spool.inner();
    let last = inner.shards.values().next().and_then(|held| held.log.last.clone());
    last.map_or(0, |last| last.to_string().parse().expect("digits"))
}

/// Cuts the newest file short, or damages a byte of any.
fn tear(dir: &TempDir, random: &mut Random) {
    let mut files: Vec<PathBuf> = Vec::new();
    for shard in fs::read_dir(dir.path()).expect("a directory").flatten() {
        for entry in fs::read_dir(shard.path()).expect("a directory").flatten() {
            if entry.path().is_dir() {
                files.extend(fs::read_dir(entry.path()).expect("files").flatten().map(|file| file.path()));
            }
        }
    }
    files.sort();
    let Some(newest) = files.last() else { return };
    if random.below(2) == 0 {
        let file = OpenOptions::new().write(true).open(newest).expect("a file");
        let size = file.metadata().expect("its size").len();
        file.set_len(random.below(size + 1)).expect("cut");
    } else {
        let file = &files[random.below(files.len() as u64) as usize];
        let mut bytes = fs::read(file).expect("bytes");
        let at = random.below(bytes.len() as u64) as usize;
        bytes[at] ^= 1 << random.below(8);
        fs::write(file, bytes).expect("written");
    }
}
