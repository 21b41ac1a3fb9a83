//! The store's commits with nothing above them: what a durable PutItem costs before it is a request.

use super::{CONNECTIONS, ROUND, Rate, Result};
use std::time::{Duration, Instant};
use store::{LogPrefix, Settings, Space, Store};
use testkit::TempDir;

const ITEM_BYTES: usize = 1_024;
const RECORD_BYTES: usize = 1_228;

pub struct Raw {
    store: Store,
    // Dropped behind the store that lies in it.
    _dir: TempDir,
}

impl Raw {
    pub fn open() -> Result<Raw> {
        let dir = TempDir::new("bench-raw");
        Ok(Raw { store: Store::open(Settings::new(dir.path().join("store")))?, _dir: dir })
    }

    /// As many writers as the load has connections, each reading, putting and appending durably.
    pub fn round(&self, round: usize) -> Result<Rate> {
        let begun = Instant::now();
        let writer = |writer: usize| -> std::result::Result<Vec<Duration>, String> {
            let mut took = Vec::new();
            while begun.elapsed() < ROUND {
                let key = format!("{round}-{writer}-{}", took.len()).into_bytes();
                let sent = Instant::now();
                let committed = self.store.update(&[(Space::Items, key.clone())], |_, batch| {
                    batch.put(Space::Items, key.clone(), vec![7; ITEM_BYTES]);
                    batch.append(LogPrefix::new(b"bench"), vec![7; RECORD_BYTES]);
                    Ok::<_, std::convert::Infallible>(())
                });
                let ((), commit) = committed.map_err(|error| format!("{error:?}"))?;
                commit.wait().map_err(|error| error.to_string())?;
                took.push(sent.elapsed());
            }
            Ok(took)
        };
        let mut took = Vec::new();
        std::thread::scope(|scope| -> Result<()> {
            let writer = &writer;
            let all: Vec<_> = (0..CONNECTIONS).map(|number| scope.spawn(move || writer(number))).collect();
            for one in all {
                took.extend(one.join().map_err(|_| "a writer panicked")??);
            }
            Ok(())
        })?;
        Ok(Rate::of(took, begun.elapsed()))
    }
}
