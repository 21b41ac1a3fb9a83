//! `millstream serve`: everything, on one port, until it is told to stop.

use super::args::Args;
use super::replicate::inside::Inside;
use super::{Failure, settings};
use server::{AuthMode, Node, Settings};
use sinks::config::Endpoint;
use std::ffi::OsString;
use std::io::Write;
use std::path::PathBuf;
use tokio::signal::unix::{SignalKind, signal};

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let values: Vec<&str> = settings::VALUES.iter().chain(&settings::SERVE).copied().collect();
    let args = Args::read(typed, &values, &settings::SWITCHES)?;
    if let Some(word) = args.words.first() {
        return Err(Failure::Usage(format!("serve takes no '{word}'")));
    }
    let settings = settings::read(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let replicate = args.values.get("replicate").map(PathBuf::from);
    runtime.block_on(serve(settings, replicate))
}

async fn serve(settings: Settings, replicate: Option<PathBuf>) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let node = Node::start(settings.clone()).await?;
    let replicating = match replicate {
        Some(file) => Some(replicated(file, &settings, &node).await?),
        None => None,
    };
    // Whoever started it may read no more than the first line.
    let _ = greet(&mut std::io::stdout(), &settings, &node);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    world::say!("stopping: finishing what is in flight; told again, it is left");
    let finish = async {
        if let Some(replicating) = replicating {
            tokio::task::spawn_blocking(|| replicating.stop()).await?;
        }
        node.shut_down().await;
        Ok(())
    };
    tokio::select! {
        finished = finish => finished,
        // A function may take a quarter of an hour. What is left is as after a crash: nothing is lost, some comes again.
        _ = terminate.recv() => std::process::exit(1),
        _ = interrupt.recv() => std::process::exit(1),
    }
}

/// Pipelines whose tables are this server's, unless they name an endpoint.
async fn replicated(file: PathBuf, settings: &Settings, node: &Node) -> Result<Inside, Failure> {
    let (access_key_id, secret_access_key) = settings.root_key.clone().unzip();
    let home = Endpoint {
        endpoint: Some(format!("http://{}", node.address())),
        region: Some(settings.region.clone()),
        access_key_id,
        secret_access_key,
        session_token: None,
    };
    // Secrets may be asked of the server itself, by calls that block.
    let services = node.services().clone();
    let tables = move |region: &str| services.tables(region);
    let inside = tokio::task::spawn_blocking(move || Inside::start(&file, &home, tables)).await??;
    let told = inside.told();
    node.show("replication", move || told.page());
    Ok(inside)
}

fn greet(out: &mut impl Write, settings: &Settings, node: &Node) -> std::io::Result<()> {
    let address = node.address();
    let kept = match &settings.data_dir {
        Some(dir) => format!("kept in {}", dir.display()),
        None => "kept in memory, and gone at the end".to_owned(),
    };
    writeln!(out, "millstream {} listens on http://{address}", env!("CARGO_PKG_VERSION"))?;
    writeln!(
        out,
        "  account {}, region {} unless a client says otherwise; {kept}",
        settings.account, settings.region
    )?;
    writeln!(out, "  point a client at it:")?;
    let region = &settings.region;
    writeln!(
        out,
        "    export AWS_ENDPOINT_URL=http://{address} AWS_REGION={region} AWS_DEFAULT_REGION={region}"
    )?;
    match settings.auth {
        AuthMode::Lenient => {
            writeln!(
                out,
                "    export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any   # every key is accepted"
            )?;
        }
        AuthMode::Verify => {
            writeln!(out, "  every call is to be signed with a known key, which may then do everything")?
        }
        AuthMode::Enforce => writeln!(
            out,
            "  every call is to be signed with a known key, and policies decide what it may do"
        )?,
    }
    let (sandbox, limits) = (node.sandbox(), node.limits());
    writeln!(out, "  sandbox of functions: {sandbox}: {}", sandbox.enforced(limits.holding()).join("; "))?;
    writeln!(out, "  not enforced: {}", sandbox.not_enforced(limits.holding()).join("; "))?;
    writeln!(out, "  memory of functions: {limits}")
}
