use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::simulated::Clock;
use crate::{Random, Timestamp};

/// The outside world's time and chance. Cloning shares it.
#[derive(Clone)]
pub struct World {
    kind: Arc<Kind>,
}

enum Kind {
    Real { started: Instant },
    Simulated { clock: Clock, random: Mutex<Random> },
}

impl World {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn real() -> World {
        World { kind: Arc::new(Kind::Real { started: Instant::now() }) }
    }

    pub fn simulated(seed: u64) -> World {
        let random = Mutex::new(Random::from_seed(seed));
        World { kind: Arc::new(Kind::Simulated { clock: Clock::default(), random }) }
    }

    /// Moves a simulated clock forward.
    ///
    /// # Panics
    /// On a real world, whose clock is nobody's to move.
    pub fn advance(&self, by: Duration) {
        match &*self.kind {
            Kind::Real { .. } => panic!("a real clock cannot be advanced"),
            Kind::Simulated { clock, .. } => clock.advance(by),
        }
    }

    /// The wall clock: for stamps that people and clients read. It may step.
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    pub fn now(&self) -> Timestamp {
        match &*self.kind {
            Kind::Real { .. } => {
                let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_millis(since_epoch.as_millis() as u64)
            }
            Kind::Simulated { clock, .. } => clock.now(),
        }
    }

    /// Monotonic time since this world began: for durations, deadlines and ages.
    pub fn elapsed(&self) -> Duration {
        match &*self.kind {
            Kind::Real { started } => started.elapsed(),
            Kind::Simulated { clock, .. } => clock.elapsed(),
        }
    }

    pub fn random_u64(&self) -> u64 {
        self.draw(Random::next_u64)
    }

    /// A number in `0..bound`.
    pub fn below(&self, bound: u64) -> u64 {
        self.draw(|random| random.below(bound))
    }

    pub fn fill(&self, out: &mut [u8]) {
        self.draw(|random| random.fill(out));
    }

    /// Fills with bytes that nobody can guess: keys, nonces and what passwords are drawn from. In a simulated world they
    /// repeat like everything else.
    ///
    /// # Panics
    /// Where the operating system has no entropy to give: nothing made without it would be a secret.
    pub fn fill_secret(&self, out: &mut [u8]) {
        match &*self.kind {
            Kind::Real { .. } => getrandom::fill(out).expect("the operating system gives entropy"),
            Kind::Simulated { .. } => self.fill(out),
        }
    }

    /// A number in `0..bound` that nobody can guess, each as likely as any other.
    ///
    /// # Panics
    /// With a bound of zero.
    pub fn below_secret(&self, bound: u32) -> u32 {
        let whole = u32::MAX - u32::MAX % bound;
        loop {
            let mut bytes = [0; 4];
            self.fill_secret(&mut bytes);
            let drawn = u32::from_le_bytes(bytes);
            if drawn < whole {
                return drawn % bound;
            }
        }
    }

    /// `digits` random lower-case hexadecimal digits.
    pub fn hex(&self, digits: usize) -> String {
        let mut bytes = vec![0u8; digits.div_ceil(2)];
        self.fill(&mut bytes);
        let mut text = hex(&bytes);
        text.truncate(digits);
        text
    }

    /// A version 4 UUID.
    pub fn uuid(&self) -> String {
        let mut bytes = [0u8; 16];
        self.fill(&mut bytes);
        bytes[6] = bytes[6] & 0x0f | 0x40;
        bytes[8] = bytes[8] & 0x3f | 0x80;
        let mut text = String::with_capacity(36);
        for (at, byte) in bytes.into_iter().enumerate() {
            if matches!(at, 4 | 6 | 8 | 10) {
                text.push('-');
            }
            push_hex(&mut text, byte);
        }
        text
    }

    fn draw<T>(&self, with: impl FnOnce(&mut Random) -> T) -> T {
        thread_local! {
            // One generator a thread, so that drawing an id never waits for another thread.
            static RANDOM: RefCell<Random> = RefCell::new(Random::from_seed(seed()));
        }
        match &*self.kind {
            Kind::Real { .. } => RANDOM.with_borrow_mut(with),
            Kind::Simulated { random, .. } => {
                with(&mut random.lock().unwrap_or_else(PoisonError::into_inner))
            }
        }
    }
}

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match &*self.kind {
            Kind::Real { .. } => "World::Real",
            Kind::Simulated { .. } => "World::Simulated",
        })
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place that draws from the machine's entropy")]
/// A seed from the operating system: std draws its hash keys from there, so no crate is needed for it.
fn seed() -> u64 {
    use std::hash::{BuildHasher, RandomState};
    // Each thread's keys are random and its own; hashing them under the thread's id yields its seed.
    RandomState::new().hash_one(std::thread::current().id())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut text, byte| {
        push_hex(&mut text, *byte);
        text
    })
}

/// Every answer has an id: the formatter would cost more than drawing one.
fn push_hex(text: &mut String, byte: u8) {
    for digit in [byte >> 4, byte & 0x0f] {
        text.push(char::from(b"0123456789abcdef"[usize::from(digit)]));
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;
    use std::time::Duration;

    use super::World;

    #[test]
    fn a_simulated_world_repeats_itself() {
        let story = |seed| {
            let world = World::simulated(seed);
            world.advance(Duration::from_millis(1500));
            (world.now(), world.elapsed(), world.uuid(), world.hex(7), world.random_u64())
        };
        assert_eq!(story(1), story(1));
        assert_ne!(story(1), story(2));
        assert_eq!(story(1).0.iso_millis(), "2026-01-01T00:00:01.500");
        assert_eq!(story(1).1, Duration::from_millis(1500));
    }

    #[test]
    fn a_real_world_moves_on_and_does_not_repeat() {
        let world = World::real();
        let before = world.elapsed();
        assert!(world.elapsed() >= before);
        assert!(world.now().millis() > 1_700_000_000_000);

        let threads: Vec<_> = (0..8)
            .map(|_| {
                let world = world.clone();
                std::thread::spawn(move || (0..100).map(|_| world.uuid()).collect::<Vec<_>>())
            })
            .collect();
        let ids: HashSet<String> =
            threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
        assert_eq!(ids.len(), 800);
    }

    #[test]
    fn secrets_are_drawn_evenly_and_differ() {
        let world = World::real();
        let (mut one, mut other) = ([0; 32], [0; 32]);
        world.fill_secret(&mut one);
        world.fill_secret(&mut other);
        assert_ne!(one, other);
        let mut seen = [0u32; 5];
        let world = World::simulated(4);
        for _ in 0..5_000 {
            seen[world.below_secret(5) as usize] += 1;
        }
        assert!(seen.iter().all(|times| (900..1_100).contains(times)), "{seen:?}");
    }

    #[test]
    fn ids_have_their_shape() {
        let world = World::simulated(9);
        for _ in 0..100 {
            let id = world.uuid();
            assert_eq!(id.len(), 36);
            assert_eq!(&id[14..15], "4");
            assert!(matches!(&id[19..20], "8" | "9" | "a" | "b"));
        }
        assert_eq!(world.hex(0), "");
        assert_eq!(world.hex(5).len(), 5);
    }

    #[test]
    #[should_panic(expected = "cannot be advanced")]
    fn a_real_clock_is_not_advanced() {
        World::real().advance(Duration::from_secs(1));
    }
}
