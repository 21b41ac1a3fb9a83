//! Told to stop: what the last line says, and the exit code.

use super::databases::setting;
use super::setting::Setting;
use serde_json::json;
use sql::Connection;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command};
use std::time::Duration;

const WAITING: &str = "SELECT 1 FROM pg_locks WHERE NOT granted";

fn terminate(runner: &Child) {
    assert!(Command::new("kill").arg(runner.id().to_string()).status().expect("kill").success());
}

/// What the runner says up to a line with this.
fn until(told: &mut BufReader<ChildStderr>, wanted: &str) {
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert!(told.read_line(&mut line).expect("a line") > 0, "it ends without '{wanted}'");
    }
}

/// A runner whose row waits for somebody's lock, told to stop; and who has the lock.
fn held_up(
    setting: &mut Setting,
    arguments: &[&str],
    id: &str,
) -> (Child, BufReader<ChildStderr>, Connection) {
    let mut holder = Connection::open(&setting.settings).expect("the target");
    holder.batch("BEGIN; LOCK TABLE t").expect("a lock");
    setting.put(json!({ "id": { "S": id } }));
    let mut runner = setting.command(arguments).spawn().expect("a runner");
    let mut told = BufReader::new(runner.stderr.take().expect("its words"));
    while setting.rows(WAITING).is_empty() {
        assert!(runner.try_wait().expect("its state").is_none(), "the runner has ended");
        std::thread::sleep(Duration::from_millis(50));
    }
    terminate(&runner);
    until(&mut told, "stopping: ");
    (runner, told, holder)
}

#[test]
fn the_last_line_says_where_it_goes_on() {
    let server = testkit::postgres();
    let mut setting = setting(&server, "stops", &[]);
    setting.table = "t".to_owned();
    setting.file("[pipeline.columns]\nid = {}\n");
    setting.settle();
    let mut ended = |arguments: &[&str], id: &str, twice: bool| {
        let (mut runner, mut told, mut holder) = held_up(&mut setting, arguments, id);
        match twice {
            true => terminate(&runner),
            false => holder.batch("COMMIT").expect("no lock"),
        }
        let mut last = String::new();
        told.read_to_string(&mut last).expect("its words");
        let code = runner.wait().expect("its end").code();
        drop(holder);
        setting.settle();
        (code, last.trim_end().lines().last().unwrap_or_default().to_owned())
    };
    assert_eq!(ended(&[], "a", false), (Some(0), "p: stopped; it goes on from here".to_owned()));
    let at_once = "p: ended at once; it goes on from what was written last";
    assert_eq!(ended(&[], "b", true), (Some(1), at_once.to_owned()));
    assert_eq!(ended(&["--once"], "c", true), (Some(1), at_once.to_owned()));
    let (code, last) = ended(&["--once"], "d", false);
    assert_eq!(code, Some(1));
    assert!(last.contains("p: stopped before the tip; it goes on from here"), "{last}");
}
