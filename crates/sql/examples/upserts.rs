//! How many rows a second go into a database of this machine: `cargo run --release -p sql --example upserts [URL]`. Without
//! a URL: SQLite in a temporary file, and each of PostgreSQL and MariaDB that is installed, started for the occasion.

use sql::{Column, ColumnKind, Connection, NewTable, OnConflict, Settings, Upsert, Value};
use world::World;

const ROWS: usize = 100_000;

fn main() -> Result<(), sql::Error> {
    if let Some(url) = std::env::args().nth(1) {
        return measure(&url);
    }
    let dir = testkit::TempDir::new("upserts");
    measure(&format!("sqlite:{}", dir.path().join("rows.db").display()))?;
    for engine in [database::Engine::Postgres, database::Engine::Mysql] {
        if !engine.is_installed() {
            println!("{}", engine.how_to_get());
            continue;
        }
        let settings = database::Settings {
            engine,
            programs: None,
            dir: dir.path().join(format!("{engine:?}")),
            port: 0,
            user: "bench".to_owned(),
            password: "benchmark".to_owned(),
            durability: database::Durability::Machine,
        };
        let server = database::Database::start(&settings).unwrap_or_else(|error| panic!("{error}"));
        let (scheme, name) =
            if engine == database::Engine::Postgres { ("postgres", "postgres") } else { ("mysql", "") };
        let url = format!("{scheme}://bench:benchmark@127.0.0.1:{}/", server.port());
        if name.is_empty() {
            Connection::open(&Settings::parse(&url)?)?.batch("CREATE DATABASE rates")?;
        }
        measure(&format!("{url}{}", if name.is_empty() { "rates" } else { name }))?;
        server.stop();
    }
    Ok(())
}

/// Ten columns of about 300 bytes in all.
fn measure(url: &str) -> Result<(), sql::Error> {
    let settings = Settings::parse(url)?;
    let mut database = Connection::open(&settings)?;
    let columns: Vec<String> = (0..10).map(|at| format!("c{at}")).collect();
    let kind = |at: usize| match at {
        0 | 1 => ColumnKind::Numeric,
        2 => ColumnKind::Boolean,
        _ => ColumnKind::Text,
    };
    let shaped = columns.iter().enumerate().map(|(at, name)| Column::new(name, kind(at)));
    let table =
        NewTable { name: "upserts".to_owned(), columns: shaped.collect(), key: vec!["c0".to_owned()] };
    database.create_table(&table)?;
    let world = World::real();
    for batch in [100, 1_000, 10_000] {
        let mut taken = 0.0;
        for first in (0..ROWS).step_by(batch) {
            let rows: Vec<Vec<Value>> = (first..first + batch).map(row).collect();
            let started = world.elapsed();
            let on_conflict = OnConflict::Replace;
            let key = &columns[..1];
            let upsert = Upsert { table: "upserts", columns: &columns, key, rows: &rows, on_conflict };
            database.transaction(|database| database.upsert(&upsert))?;
            taken += (world.elapsed() - started).as_secs_f64();
        }
        println!("{settings}: {:.0} rows/s in batches of {batch}", ROWS as f64 / taken);
        let keys: Vec<Vec<Value>> = (0..ROWS).map(|at| row(at)[..1].to_vec()).collect();
        for keys in keys.chunks(batch) {
            database.delete("upserts", &columns[..1], keys)?;
        }
    }
    Ok(())
}

fn row(at: usize) -> Vec<Value> {
    let text = |column: usize| Value::Text(format!("{column}:{at:036}"));
    let head = [
        Value::Numeric(at.to_string()),
        Value::Numeric(format!("{at}.25")),
        Value::Boolean(at.is_multiple_of(2)),
    ];
    head.into_iter().chain((3..10).map(text)).collect()
}
