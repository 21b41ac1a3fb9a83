//! `millstream replicate FILE`: tables kept in step in databases, as the file's pipelines say.

mod follow;
pub mod inside;
mod metrics;
mod own;
mod plan;
mod quarantine;

use super::Failure;
use super::args::Args;
use sinks::Config;
use sinks::config::Endpoint;
use sinks::runner::Pipeline;
use std::ffi::OsString;
use std::path::Path;
use world::World;

const FLAGS: [&str; 4] = ["once", "plan", "check", "json"];
const WORDS: &str = "run, status, verify, pause, resume, resync, quarantine, retry";

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &["pipeline"], &FLAGS)?;
    let Some((file, rest)) = args.words.split_first() else {
        return Err(Failure::Usage(format!(
            "replicate takes a file and what to do: millstream replicate PIPELINES.toml [{WORDS}] [PIPELINE]"
        )));
    };
    let world = World::real();
    let config = Config::load(Path::new(file), &Endpoint::default(), &world)
        .map_err(|error| Failure::Usage(error.to_string()))?;
    let word = rest.first().map_or("run", String::as_str);
    let wanted = args.values.get("pipeline").or(rest.get(1));
    let named = args.values.get("pipeline").and(rest.get(1));
    if let Some(extra) = rest.get(2).or(named) {
        return Err(Failure::Usage(format!("replicate has no use for '{extra}'")));
    }
    let pipelines = chosen(&config, wanted, &world)?;
    goes_with(word, &FLAGS.into_iter().filter(|flag| args.has(flag)).collect::<Vec<_>>())?;
    match word {
        "run" if args.has("plan") => plan::plan(&pipelines),
        "run" if args.has("check") => plan::check(&pipelines),
        "run" => follow::follow(pipelines, args.has("once"), config.metrics.as_deref()),
        "status" => plan::status(&pipelines, args.has("json")),
        "verify" => plan::verify(&pipelines, args.has("json")),
        "resync" if wanted.is_some() || pipelines.len() == 1 => plan::resync(&pipelines),
        "resync" => Err(Failure::Usage("resync takes the pipeline that begins again".to_owned())),
        "retry" => quarantine::retry(&pipelines),
        "pause" => plan::pause(&pipelines, true),
        "resume" => plan::pause(&pipelines, false),
        "quarantine" => quarantine::list(&pipelines, args.has("json")),
        other if config.pipeline.iter().any(|pipeline| pipeline.name == other) => {
            Err(Failure::Usage(format!("'{other}' is a pipeline: millstream replicate FILE run {other}")))
        }
        other => Err(Failure::Usage(format!("replicate knows no '{other}'; it knows {WORDS}"))),
    }
}

/// A flag that would change nothing is refused.
fn goes_with(word: &str, flags: &[&str]) -> Result<(), Failure> {
    let known: &[&str] = match word {
        "run" => &["once", "plan", "check"],
        "status" | "verify" | "quarantine" => &["json"],
        _ => &[],
    };
    match flags {
        [] => Ok(()),
        [flag] if known.contains(flag) => Ok(()),
        [flag, other, ..] if known.contains(flag) && known.contains(other) => {
            Err(Failure::Usage(format!("--{flag} or --{other}, not both")))
        }
        _ => {
            let flag = flags.iter().find(|flag| !known.contains(flag)).copied().unwrap_or_default();
            Err(Failure::Usage(format!("replicate's '{word}' has no use for --{flag}")))
        }
    }
}

pub fn chosen(config: &Config, wanted: Option<&String>, world: &World) -> Result<Vec<Pipeline>, Failure> {
    let of_name = |name: &String| wanted.is_none_or(|wanted| wanted == name);
    let all = config.pipeline.iter().filter(|pipeline| of_name(&pipeline.name));
    let all: Vec<Pipeline> =
        all.map(|pipeline| Pipeline::of(config, pipeline, world)).collect::<Result<_, _>>()?;
    if all.is_empty() {
        let names: Vec<_> = config.pipeline.iter().map(|pipeline| pipeline.name.as_str()).collect();
        return Err(Failure::Usage(format!(
            "there is no pipeline '{}'; there are {}",
            wanted.map_or("", String::as_str),
            names.join(", ")
        )));
    }
    Ok(all)
}
