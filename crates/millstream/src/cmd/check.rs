//! `millstream check`: does a stopped server's data directory open and read, and what would functions run on?

use super::args::Args;
use super::{Failure, settings};
use functions::limits::Limits;
use functions::sandbox::{Mode, Sandbox};
use std::ffi::OsString;
use std::path::PathBuf;
use store::{Order, Space, Store};

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["data-dir"], &[])?;
    let dir = args.values.get("data-dir").cloned().or_else(|| std::env::var("MILLSTREAM_DATA_DIR").ok());
    let dir = PathBuf::from(dir.unwrap_or_else(|| settings::DATA_DIR.to_owned()));
    interpreters();
    sandbox();
    if !dir.join("store").exists() {
        tell!("data directory  {} does not exist yet", dir.display());
        return Ok(());
    }
    let store = Store::open(store::Settings::new(dir.join("store")))?;
    let engine = engine::Engine::open(store.clone(), world::World::real(), engine::Settings::default())?;
    tell!("data directory  {} opens", dir.display());
    for (space, name) in [
        (Space::Meta, "catalog"),
        (Space::Items, "items"),
        (Space::Log, "records"),
        (Space::Text, "log events"),
    ] {
        let (mut rows, mut bytes) = (0_u64, 0_u64);
        for row in store.snapshot().range(space, &[], &[0xff; 64], Order::Forward) {
            let (key, value) = row?;
            rows += 1;
            bytes += (key.len() + value.len()) as u64;
        }
        tell!("  {name:<12} {rows} rows, {bytes} bytes: all read");
    }
    engine.close();
    store.close()?;
    Ok(())
}

fn interpreters() {
    // Nothing is there, and nothing is kept there: it is only asked what is installed.
    let nowhere = std::env::temp_dir().join(format!("millstream-check-{}", std::process::id()));
    let functions = functions::Functions::new(
        functions::Settings::new(nowhere),
        &world::World::real(),
        std::sync::Arc::new(Nowhere),
    );
    for name in ["python3.12", "nodejs20.x", "ruby3.3", "java21"] {
        let found = functions::Runtime::parse(name).and_then(|runtime| functions.interpreter(runtime));
        match found {
            Some(found) if found.exact => tell!("{name:<15} {}", found.program.display()),
            Some(found) => tell!(
                "{name:<15} {} (version {}, the nearest there is)",
                found.program.display(),
                found.version
            ),
            None => tell!("{name:<15} not found: functions of this kind will fail until it is installed"),
        }
    }
}

fn sandbox() {
    // What is best here is never refused.
    let Ok(best) = Sandbox::detect(Mode::Auto) else { return };
    let (holding, told) = Limits::foresee();
    tell!("sandbox         {best}: {}", best.enforced(holding).join("; "));
    tell!("not enforced    {}", best.not_enforced(holding).join("; "));
    tell!("memory          {told}");
    if let Err(why) = Sandbox::detect(Mode::Require) {
        tell!("                {why}");
    }
}

struct Nowhere;

impl functions::LogSink for Nowhere {
    fn write(&self, _: &functions::LogPlace, _: &str, _: Vec<(world::Timestamp, String)>) {}
}
