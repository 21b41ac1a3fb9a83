//! What the store's door costs and gives, with no table, no expression and no HTTP above it.
//!
//! `cargo run --release -p store --example raw_commit -- [SECONDS] [MILLIONS] [DIRECTORY]`
//!
//! A write reads its old item, puts a new one of 1 KB and appends a record of 1.2 KB, and is answered when both
//! are on disk. The naive loop does the same with the storage engine alone and a sync a write.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use fjall::{Database, KeyspaceCreateOptions, PersistMode};
use store::{LogPrefix, Order, Settings, Space, Stats, Store};
use world::{Random, World};

const ITEM_BYTES: usize = 1024;
const RECORD_BYTES: usize = 1228;
const KEYS: u64 = 200_000;
const SHARDS: u64 = 4;

type Outcome<T> = Result<T, Box<dyn std::error::Error + Send + Sync>>;

fn main() -> Outcome<()> {
    let argument = |index| std::env::args().nth(index);
    let seconds = argument(1).map_or(Ok(3), |text| text.parse())?;
    let millions: u64 = argument(2).map_or(Ok(1), |text| text.parse())?;
    let directory = argument(3).map_or_else(|| PathBuf::from("target/raw_commit"), PathBuf::from);
    let (naive, door) = (directory.join("naive"), directory.join("door"));
    let _ = std::fs::remove_dir_all(&directory);
    std::fs::create_dir_all(&directory)?;
    let world = World::real();

    let (mut opens, mut firsts) = (Vec::new(), Vec::new());
    for round in 0..5 {
        let path = directory.join(format!("empty{round}"));
        let started = world.elapsed();
        let store = Store::open(Settings::new(path))?;
        opens.push(format!("{:.1}", millis(world.elapsed() - started)));
        if round == 4 {
            println!("resident after opening {:.1} MB", resident_mb());
        }
        let started = world.elapsed();
        write(&store, &mut Random::from_seed(round))?;
        firsts.push(format!("{:.1}", millis(world.elapsed() - started)));
        drop(store);
    }
    let started = world.elapsed();
    drop(Store::open(Settings::new(directory.join("empty0")))?);
    println!("open a directory with one write: {:.1} ms", millis(world.elapsed() - started));
    println!("first write to a new directory: {} ms", firsts.join(", "));
    println!("open an empty directory: {} ms", opens.join(", "));

    println!(
        "\n{:<28} {:>8} {:>8} {:>8} {:>9} {:>8}",
        "", "ops/s", "p50 ms", "p99 ms", "p99.9 ms", "syncs/s"
    );
    for threads in [1, 16, 64] {
        bench_naive(&world, &naive, threads, seconds)?;
    }
    let store = Store::open(Settings::new(&door))?;
    for threads in [1, 16, 64] {
        let before = store.stats();
        let measured = measure(&world, threads, seconds, |random| write(&store, random));
        print(&format!("door, {threads} writers"), measured?, Some((before, store.stats())));
    }
    for (name, threads) in [("point reads, 1 thread", 1), ("point reads, 2 threads", 2)] {
        let measured = measure(&world, threads, seconds, |random| {
            store.snapshot().get(Space::Items, &item_key(random)).map(|_| ()).map_err(Into::into)
        });
        print(name, measured?, None);
    }
    let measured = measure(&world, 1, seconds, |random| {
        let snapshot = store.snapshot();
        let mut rows = snapshot.range(Space::Items, &item_key(random), b"j", Order::Forward).take(100);
        rows.try_for_each(|row| row.map(|_| ())).map_err(Into::into)
    });
    print("scans of 100 items, 1 thread", measured?, None);

    println!("\nper million records appended by 64 writers:");
    for million in 0..millions {
        let before = store.stats();
        let (wrote, started) = (written_gb(), world.elapsed());
        let left = AtomicU64::new(1_000_000);
        let slowest = thread::scope(|scope| {
            let writers: Vec<_> =
                (0..64).map(|_| scope.spawn(|| write_while(&world, &store, &left))).collect();
            writers
                .into_iter()
                .map(|writer| writer.join().map_err(|_| "a writer panicked")?)
                .try_fold(Duration::ZERO, |slowest, one| one.map(|one| slowest.max(one)))
        })?;
        let (took, stats) = (world.elapsed() - started, store.stats());
        println!(
            "  million {:>3}: {:>6.0} ops/s, slowest write {:>5.0} ms, {:>5.0} syncs/s, resident {:>4.0} MB, {:>5.1} GB on disk, {:>5.1} GB written",
            million + 1,
            1e6 / took.as_secs_f64(),
            millis(slowest),
            (stats.syncs - before.syncs) as f64 / took.as_secs_f64(),
            resident_mb(),
            disk_bytes(&door)? as f64 / 1e9,
            written_gb() - wrote,
        );
    }
    let started = world.elapsed();
    drop(store);
    let closed = world.elapsed();
    drop(Store::open(Settings::new(&door))?);
    println!(
        "closed in {:.0} ms, opened again in {:.0} ms",
        millis(closed - started),
        millis(world.elapsed() - closed)
    );
    std::fs::remove_dir_all(&directory)?;
    Ok(())
}

fn item_key(random: &mut Random) -> Vec<u8> {
    format!("item/{:016x}", random.below(KEYS).wrapping_mul(0x9e37_79b9_7f4a_7c15)).into_bytes()
}

fn write(store: &Store, random: &mut Random) -> Outcome<()> {
    let key = item_key(random);
    let prefix = LogPrefix::new(&random.below(SHARDS).to_be_bytes());
    let mut bytes = vec![0; ITEM_BYTES + RECORD_BYTES];
    random.fill(&mut bytes);
    let keys = [(Space::Items, key)];
    let planned = store.update(&keys, |before, batch| {
        batch.put(Space::Items, &keys[0].1, &bytes[..ITEM_BYTES]);
        batch.append(prefix, &bytes[ITEM_BYTES..]);
        batch.count(b"items", i64::from(before.get(0).is_none()));
        Ok::<_, ()>(())
    });
    planned.map_err(|error| format!("{error:?}"))?.1.wait()?;
    Ok(())
}

fn write_while(world: &World, store: &Store, left: &AtomicU64) -> Outcome<Duration> {
    let mut random = Random::from_seed(world.random_u64());
    let mut slowest = Duration::ZERO;
    while left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
        let started = world.elapsed();
        write(store, &mut random)?;
        slowest = slowest.max(world.elapsed() - started);
    }
    Ok(slowest)
}

fn bench_naive(world: &World, path: &Path, threads: usize, seconds: u64) -> Outcome<()> {
    let _ = std::fs::remove_dir_all(path);
    let database = Database::builder(path).manual_journal_persist(true).open()?;
    let items = database.keyspace("items", KeyspaceCreateOptions::default)?;
    let log = database.keyspace("log", KeyspaceCreateOptions::default)?;
    let sequence = AtomicU64::new(0);
    let measured = measure(world, threads, seconds, |random| {
        let key = item_key(random);
        let _old = items.get(&key)?;
        let mut bytes = vec![0; ITEM_BYTES + RECORD_BYTES];
        random.fill(&mut bytes);
        let mut batch = database.batch().durability(Some(PersistMode::SyncData));
        batch.insert(&items, key, &bytes[..ITEM_BYTES]);
        batch.insert(&log, sequence.fetch_add(1, Ordering::Relaxed).to_be_bytes(), &bytes[ITEM_BYTES..]);
        Ok(batch.commit()?)
    });
    print(&format!("naive, {threads} writers"), measured?, None);
    Ok(())
}

struct Measured {
    seconds: f64,
    /// Sorted.
    took: Vec<Duration>,
}

fn measure(
    world: &World,
    threads: usize,
    seconds: u64,
    op: impl Fn(&mut Random) -> Outcome<()> + Sync,
) -> Outcome<Measured> {
    let done = AtomicBool::new(false);
    let started = world.elapsed();
    let mut took: Vec<Duration> = thread::scope(|scope| {
        let workers: Vec<_> = (0..threads)
            .map(|_| {
                scope.spawn(|| {
                    let mut random = Random::from_seed(world.random_u64());
                    let mut took = Vec::new();
                    while !done.load(Ordering::Relaxed) {
                        let started = world.elapsed();
                        op(&mut random)?;
                        took.push(world.elapsed() - started);
                    }
                    Outcome::Ok(took)
                })
            })
            .collect();
        thread::sleep(Duration::from_secs(seconds));
        done.store(true, Ordering::Relaxed);
        workers
            .into_iter()
            .map(|worker| worker.join().map_err(|_| "a worker panicked")?)
            .collect::<Outcome<Vec<_>>>()
    })?
    .concat();
    let seconds = (world.elapsed() - started).as_secs_f64();
    took.sort_unstable();
    Ok(Measured { seconds, took })
}

fn print(name: &str, Measured { seconds, took }: Measured, stats: Option<(Stats, Stats)>) {
    let at = |part: f64| took.get((took.len() as f64 * part) as usize).copied().map_or(f64::NAN, millis);
    let syncs = stats.map(|(before, after)| format!("{:.0}", (after.syncs - before.syncs) as f64 / seconds));
    println!(
        "{name:<28} {:>8.0} {:>8.3} {:>8.3} {:>9.3} {:>8}",
        took.len() as f64 / seconds,
        at(0.5),
        at(0.99),
        at(0.999),
        syncs.unwrap_or_default()
    );
}

fn millis(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1e3
}

fn resident_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or("0");
    line.split_whitespace().next().and_then(|kb| kb.parse::<f64>().ok()).map_or(f64::NAN, |kb| kb / 1024.0)
}

/// What the process has had the kernel write to disks.
fn written_gb() -> f64 {
    let io = std::fs::read_to_string("/proc/self/io").unwrap_or_default();
    let bytes = io.lines().find_map(|line| line.strip_prefix("write_bytes: ")?.parse::<f64>().ok());
    bytes.map_or(f64::NAN, |bytes| bytes / 1e9)
}

fn disk_bytes(path: &Path) -> std::io::Result<u64> {
    use std::os::unix::fs::MetadataExt;
    let mut bytes = 0;
    for entry in std::fs::read_dir(path)? {
        let entry = entry?;
        // Tables come and go meanwhile.
        bytes += match entry.metadata() {
            Ok(metadata) if metadata.is_dir() => disk_bytes(&entry.path())?,
            Ok(metadata) => metadata.blocks() * 512,
            Err(_) => 0,
        };
    }
    Ok(bytes)
}
