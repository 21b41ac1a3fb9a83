//! The platform's own lines in a function's log: as text, or as JSON documents of a least level.

use crate::config::{FunctionConfig, Level};
use serde_json::{Value, json};
use world::Timestamp;

/// What is known when an invocation has ended.
pub(crate) struct Report<'a> {
    pub request_id: &'a str,
    pub took_ms: f64,
    pub init_ms: Option<f64>,
    pub memory_mb_max: u64,
    pub ending: Ending,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    Success,
    /// The handler's own error.
    Failure,
    Exit,
    OutOfMemory,
    TimeOut,
}

impl Ending {
    fn word(self) -> &'static str {
        match self {
            Ending::Success => "success",
            Ending::Failure => "failure",
            Ending::Exit | Ending::OutOfMemory => "error",
            Ending::TimeOut => "timeout",
        }
    }
}

/// A document, if the function's log takes lines of its level.
fn document(
    config: &FunctionConfig,
    now: Timestamp,
    level: Level,
    kind: &str,
    record: Value,
) -> Option<String> {
    let least = config.json_log.as_ref()?;
    (level >= least.system).then(|| {
        json!({ "time": format!("{}Z", now.iso_millis()), "type": format!("platform.{kind}"), "record": record })
            .to_string()
    })
}

pub(crate) fn init_start(config: &FunctionConfig, now: Timestamp, runtime: &str) -> Option<String> {
    if config.json_log.is_none() {
        return Some(format!("INIT_START Runtime Version: {runtime}"));
    }
    let record = json!({
        "initializationType": "on-demand",
        "phase": "init",
        "runtimeVersion": runtime,
        "functionName": config.name,
        "functionVersion": config.version,
    });
    document(config, now, Level::Info, "initStart", record)
}

pub(crate) fn start(config: &FunctionConfig, now: Timestamp, request_id: &str) -> Option<String> {
    if config.json_log.is_none() {
        return Some(format!("START RequestId: {request_id} Version: {}", config.version));
    }
    let record = json!({ "requestId": request_id, "version": config.version });
    document(config, now, Level::Info, "start", record)
}

/// The lines of an invocation's end.
pub(crate) fn end(config: &FunctionConfig, now: Timestamp, report: &Report<'_>) -> Vec<String> {
    if config.json_log.is_none() {
        return text_end(config, now, report);
    }
    let status = report.ending.word();
    let well = report.ending == Ending::Success;
    let done = json!({ "requestId": report.request_id, "status": status, "metrics": { "durationMs": round(report.took_ms) } });
    let mut metrics = json!({
        "durationMs": round(report.took_ms),
        "billedDurationMs": report.took_ms.ceil() as u64,
        "memorySizeMB": config.memory_mb,
        "maxMemoryUsedMB": report.memory_mb_max,
    });
    if let Some(init_ms) = report.init_ms {
        metrics["initDurationMs"] = round(init_ms).into();
    }
    let whole = json!({ "requestId": report.request_id, "metrics": metrics, "status": status });
    let levels = if well { [Level::Debug, Level::Info] } else { [Level::Warn, Level::Warn] };
    let lines = [
        document(config, now, levels[0], "runtimeDone", done),
        document(config, now, levels[1], "report", whole),
    ];
    lines.into_iter().flatten().collect()
}

fn text_end(config: &FunctionConfig, now: Timestamp, report: &Report<'_>) -> Vec<String> {
    let id = report.request_id;
    let mut lines = Vec::new();
    if report.ending == Ending::TimeOut {
        let seconds = config.timeout.as_secs_f64();
        lines.push(format!("{}Z {id} Task timed out after {seconds:.2} seconds", now.iso_millis()));
    }
    lines.push(format!("END RequestId: {id}"));
    let mut line = format!(
        "REPORT RequestId: {id}\tDuration: {:.2} ms\tBilled Duration: {} ms\tMemory Size: {} MB\tMax Memory Used: {} MB\t",
        report.took_ms,
        report.took_ms.ceil(),
        config.memory_mb,
        report.memory_mb_max,
    );
    if let Some(init_ms) = report.init_ms {
        line.push_str(&format!("Init Duration: {init_ms:.2} ms\t"));
    }
    line.push_str(match report.ending {
        Ending::Success | Ending::Failure => "",
        Ending::Exit => "Status: error\tError Type: Runtime.ExitError",
        Ending::OutOfMemory => "Status: error\tError Type: Runtime.OutOfMemory",
        Ending::TimeOut => "Status: timeout",
    });
    lines.push(line);
    lines
}

/// The lines of a start that failed, told by the runtime's account of it.
pub(crate) fn not_started(
    config: &FunctionConfig,
    now: Timestamp,
    request_id: &str,
    told: &str,
) -> Vec<String> {
    if config.json_log.is_some() {
        let record = json!({ "requestId": request_id, "status": "error", "error": told });
        let failed = document(config, now, Level::Warn, "initReport", record);
        return start(config, now, request_id).into_iter().chain(failed).collect();
    }
    vec![
        format!("START RequestId: {request_id} Version: {}", config.version),
        format!("INIT_REPORT Status: error\t{told}"),
        format!("END RequestId: {request_id}"),
    ]
}

fn round(ms: f64) -> f64 {
    (ms * 1_000.0).round() / 1_000.0
}
