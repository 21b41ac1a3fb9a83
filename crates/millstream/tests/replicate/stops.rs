//! Told to stop: what the last line says, and the exit code.

use super::databases::setting;
use super::faults::{Faulty, Weather};
use super::setting::Setting;
use serde_json::json;
use sql::Connection;
use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command};
use std::time::Duration;

const WAITING: &str = "SELECT 1 FROM pg_locks WHERE NOT granted";

pub fn terminate(runner: &Child) {
    assert!(Command::new("kill").arg(runner.id().to_string()).status().expect("kill").success());
}

/// The runner's first line with this.
pub fn until(told: &mut BufReader<ChildStderr>, wanted: &str) -> String {
    let mut line = String::new();
    while !line.contains(wanted) {
        line.clear();
        assert!(told.read_line(&mut line).expect("a line") > 0, "it ends without '{wanted}'");
    }
    line
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

/// What a source has still to say is of no use to a runner that stops.
#[test]
fn a_source_that_comes_to_no_end_holds_nobody() {
    let mut setting = Setting::sqlite();
    let source = Faulty::before(setting.node.address().to_owned(), 1);
    source.set(Weather::Calm);
    setting.source = Some(source.url());
    setting.file("");
    setting.put(json!({ "id": { "S": "a" } }));
    setting.settle();
    source.set(Weather::Endless);
    let runner = setting.command(&[]).spawn().expect("a runner");
    while !source.told().contains_key("begun") {
        std::thread::sleep(Duration::from_millis(20));
    }
    terminate(&runner);
    let output = runner.wait_with_output().expect("its end");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(0), "{told}");
    assert!(told.ends_with("p: stopped; it goes on from here\n") && !told.contains("trying again"), "{told}");
    assert!(!source.told().contains_key("ended"), "it has heard all of the answer");
}

/// Who read what it says (`| tee`, a supervisor) may end first.
#[test]
fn a_runner_that_nobody_listens_to_stops() {
    let mut setting = Setting::sqlite();
    setting.file("");
    setting.put(json!({ "id": { "S": "a" } }));
    let mut runner = setting.command(&[]).spawn().expect("a runner");
    let mut told = BufReader::new(runner.stderr.take().expect("its words"));
    until(&mut told, "consistent");
    drop(told);
    terminate(&runner);
    assert_eq!(runner.wait().expect("its end").code(), Some(0));
}
