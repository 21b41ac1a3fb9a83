//! Beginning an environment: what it needs is made ready once, and found.

use crate::Runtime;
use crate::config::FunctionConfig;
use crate::environment::{Environment, InitError, Place};
use crate::functions::Inner;
use crate::java;
use crate::runtime::Interpreter;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

impl Inner {
    /// Begins an environment for an invocation. A function that takes too long to load is begun again, as a part of the
    /// invocation: within its time. [reference: lambda-execution §4] Gives what of that time is spent, too.
    pub(crate) async fn start(
        self: &Arc<Inner>,
        config: &Arc<FunctionConfig>,
    ) -> Result<(Environment, Duration), InitError> {
        match self.start_within(config, self.settings.init_max).await {
            Err(InitError::TimedOut) => {}
            started => return Ok((started?, Duration::ZERO)),
        }
        let begun = self.world.elapsed();
        let started = self.start_within(config, config.timeout).await?;
        Ok((started, self.world.elapsed() - begun))
    }

    async fn start_within(
        self: &Arc<Inner>,
        config: &Arc<FunctionConfig>,
        within: Duration,
    ) -> Result<Environment, InitError> {
        self.counters.cold_starts.fetch_add(1, Ordering::Relaxed);
        let (inner, wanted) = (self.clone(), config.clone());
        let prepared = tokio::task::spawn_blocking(move || {
            let layered = inner.packages.layered(&wanted.layers)?;
            let interpreter = inner.interpreters.find(wanted.runtime);
            Ok((interpreter.clone(), inner.clients(wanted.runtime, interpreter.as_deref())?, layered))
        });
        let prepared: std::io::Result<_> =
            prepared.await.unwrap_or_else(|_| Err(std::io::Error::other("interrupted")));
        let (interpreter, client, layers) = prepared.map_err(InitError::Io)?;
        let place = Place {
            world: &self.world,
            sink: &self.sink,
            code: self.packages.code_dir(&config.code_sha256),
            layers,
            client,
            interpreter,
            temporary: self.settings.dir.join("tmp").join(self.world.hex(16)),
            sandbox: self.settings.sandbox,
            limits: &self.settings.limits,
            hidden: &self.settings.hidden,
            endpoint: self.endpoint.get().map_or("", String::as_str),
            within,
        };
        Environment::start(config.clone(), place).await
    }

    /// The directory of the embedded runtime clients, written once.
    pub(crate) fn clients(&self, runtime: Runtime, found: Option<&Interpreter>) -> std::io::Result<PathBuf> {
        let dir = self.settings.dir.join("clients");
        if let (Runtime::Java(_), Some(found)) = (runtime, found) {
            let _alone = self.compiling.lock().unwrap_or_else(PoisonError::into_inner);
            java::compile(&dir, found)?;
        }
        // Two first starts at once would write over each other.
        let _alone = self.writing_clients.lock().unwrap_or_else(PoisonError::into_inner);
        if self.clients.get().is_some() {
            return Ok(dir);
        }
        std::fs::create_dir_all(&dir)?;
        for (name, text) in [
            ("python.py", include_str!("client/python.py")),
            ("node.mjs", include_str!("client/node.mjs")),
            ("ruby.rb", include_str!("client/ruby.rb")),
        ] {
            // Written beside and moved, for another server's function may be reading it.
            let partial = dir.join(format!(".{name}.{}", std::process::id()));
            std::fs::write(&partial, text)?;
            std::fs::rename(&partial, dir.join(name))?;
        }
        let _ = self.clients.set(());
        Ok(dir)
    }
}
