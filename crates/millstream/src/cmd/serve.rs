//! `millstream serve`: everything, on one port, until it is told to stop.

use super::args::Args;
use super::{Failure, settings};
use server::{AuthMode, Node, Settings};
use std::ffi::OsString;
use tokio::signal::unix::{SignalKind, signal};

pub fn run(typed: Vec<OsString>) -> Result<(), Failure> {
    let args = Args::read(typed, &settings::VALUES, &settings::SWITCHES)?;
    if let Some(word) = args.words.first() {
        return Err(Failure::Usage(format!("serve takes no '{word}'")));
    }
    let settings = settings::read(&args)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(serve(settings))
}

async fn serve(settings: Settings) -> Result<(), Failure> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let node = Node::start(settings.clone()).await?;
    greet(&settings, &node);
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    eprintln!("stopping: finishing what is in flight");
    node.shut_down().await;
    Ok(())
}

fn greet(settings: &Settings, node: &Node) {
    let address = node.address();
    let kept = match &settings.data_dir {
        Some(dir) => format!("kept in {}", dir.display()),
        None => "kept in memory, and gone at the end".to_owned(),
    };
    println!("millstream {} listens on http://{address}", env!("CARGO_PKG_VERSION"));
    println!(
        "  account {}, region {} unless a client says otherwise; {kept}",
        settings.account, settings.region
    );
    println!("  point a client at it:");
    let region = &settings.region;
    println!("    export AWS_ENDPOINT_URL=http://{address} AWS_REGION={region} AWS_DEFAULT_REGION={region}");
    match settings.auth {
        AuthMode::Lenient => {
            println!("    export AWS_ACCESS_KEY_ID=any AWS_SECRET_ACCESS_KEY=any   # every key is accepted");
        }
        AuthMode::Verify => {
            println!("  every call is to be signed with a known key, which may then do everything")
        }
        AuthMode::Enforce => {
            println!("  every call is to be signed with a known key, and policies decide what it may do")
        }
    }
    let sandbox = node.sandbox();
    println!("  sandbox of functions: {sandbox}: {}", sandbox.enforced().join("; "));
    println!("  not enforced: {}", sandbox.not_enforced().join("; "));
}
