//! Lives of a house: records are written, targets fail, stall, answer nonsense and die, mappings are changed, the server
//! stops well or badly, until everything heals. A seed decides all of it, and the clock moves only when it says so.

mod house;
mod life;
mod promises;

use crate::books::Book;
use house::House;

/// Seeds of one run; `MILLSTREAM_SIMULATOR_SEEDS` asks for more, `MILLSTREAM_SIMULATOR_SEED` for one.
fn seeds() -> std::ops::Range<u64> {
    let number = |name: &str| std::env::var(name).ok().and_then(|text| text.parse().ok());
    match number("MILLSTREAM_SIMULATOR_SEED") {
        Some(seed) => seed..seed + 1,
        None => 0..number("MILLSTREAM_SIMULATOR_SEEDS").unwrap_or(100),
    }
}

/// One seed: several lives, and a last one in which everything is finished.
fn simulate(seed: u64) {
    let mut house = House::new(seed);
    for _ in 0..1 + house.roll(4) {
        let runtime = runtime();
        runtime.block_on(house.live());
        // The server dies: whatever is in flight is never heard of again.
        drop(runtime);
        house.books.open().values_mut().for_each(Book::forget);
    }
    runtime().block_on(house.heal());
}

#[test]
fn every_record_comes_to_its_end_whatever_happens() {
    for seed in seeds() {
        simulate(seed);
    }
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_current_thread().enable_time().start_paused(true).build().expect("a runtime")
}
