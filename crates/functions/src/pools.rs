//! Warm environments by function, and how many invocations run at once.

use crate::config::FunctionConfig;
use crate::environment::Environment;
use crate::functions::{Inner, InvokeError, SPINDOWN};
use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::sync::atomic::Ordering;

#[derive(Debug, Default)]
pub(crate) struct Pool {
    /// The revision that environments must have to be kept.
    pub revision: String,
    pub idle: Vec<Environment>,
    pub running: u32,
}

#[derive(Debug, Default)]
pub(crate) struct Pools {
    pub of: HashMap<String, Pool>,
    /// Of all versions of a function.
    pub running_of: HashMap<String, u32>,
    pub running: u32,
    pub closed: bool,
    /// Somebody was turned away by everybody's limit; functions, by their own.
    turned_away: bool,
    turned_away_of: HashSet<String>,
}

/// The right to run one more invocation.
pub(crate) struct Permit {
    inner: Arc<Inner>,
    arn: String,
    function_arn: String,
}

impl Permit {
    pub fn take(inner: &Arc<Inner>, config: &FunctionConfig) -> Result<Permit, InvokeError> {
        let mut pools = inner.pools();
        if pools.closed {
            return Err(InvokeError::Closed);
        }
        let running = pools.running_of.get(config.function_arn()).copied().unwrap_or(0);
        let throttled = if config.reserved_concurrency.is_some_and(|most| running >= most) {
            Some(InvokeError::Throttled { reserved: true })
        } else if pools.running >= inner.settings.concurrency_max {
            Some(InvokeError::Throttled { reserved: false })
        } else {
            None
        };
        if let Some(throttled) = throttled {
            match throttled {
                InvokeError::Throttled { reserved: true } => {
                    pools.turned_away_of.insert(config.function_arn().to_owned());
                }
                _ => pools.turned_away = true,
            }
            inner.counters.throttles.fetch_add(1, Ordering::Relaxed);
            return Err(throttled);
        }
        pools.running += 1;
        pools.of.entry(config.arn.clone()).or_default().running += 1;
        *pools.running_of.entry(config.function_arn().to_owned()).or_default() += 1;
        drop(pools);
        let function_arn = config.function_arn().to_owned();
        Ok(Permit { inner: inner.clone(), arn: config.arn.clone(), function_arn })
    }
}

impl Inner {
    /// Whether an invocation may follow another at once: as the same revision, which is the present one still, while
    /// nobody waits for the place.
    pub(crate) fn may_follow(&self, before: &FunctionConfig, next: &FunctionConfig) -> bool {
        let mut pools = self.pools();
        let is_same = before.arn == next.arn
            && before.revision == next.revision
            && before.reserved_concurrency == next.reserved_concurrency
            && pools.of.get(&next.arn).is_some_and(|pool| pool.revision == next.revision);
        let is_wanted = std::mem::take(&mut pools.turned_away);
        let is_wanted = pools.turned_away_of.remove(next.function_arn()) || is_wanted;
        is_same && !is_wanted && !pools.closed
    }

    /// A warm environment of this revision.
    pub(crate) fn take(&self, config: &FunctionConfig) -> Option<Environment> {
        let mut old = Vec::new();
        let taken = {
            let mut pools = self.pools();
            let pool = pools.of.entry(config.arn.clone()).or_default();
            if pool.revision != config.revision {
                pool.revision.clone_from(&config.revision);
                old = std::mem::take(&mut pool.idle);
            }
            loop {
                match pool.idle.pop() {
                    Some(environment) if environment.is_alive() => break Some(environment),
                    Some(dead) => old.push(dead),
                    None => break None,
                }
            }
        };
        self.dismiss_all(old);
        taken
    }

    pub(crate) fn give_back(&self, mut environment: Environment) {
        environment.used = self.world.elapsed();
        let mut pools = self.pools();
        if !pools.closed {
            let pool = pools.of.entry(environment.config.arn.clone()).or_default();
            if pool.revision == environment.config.revision {
                pool.idle.push(environment);
                return;
            }
        }
        drop(pools);
        self.dismiss(environment, SPINDOWN);
    }

    /// Ends an environment; its extensions are told why, and given a moment.
    pub(crate) fn dismiss(&self, environment: Environment, reason: &'static str) {
        if environment.has_extensions()
            && let Ok(runtime) = tokio::runtime::Handle::try_current()
        {
            let now = self.world.now();
            runtime.spawn(async move { environment.end(reason, now).await });
        }
    }

    pub(crate) fn dismiss_all(&self, environments: Vec<Environment>) {
        environments.into_iter().for_each(|environment| self.dismiss(environment, SPINDOWN));
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut pools = self.inner.pools();
        pools.running -= 1;
        if let Some(pool) = pools.of.get_mut(&self.arn) {
            pool.running -= 1;
        }
        if let Some(running) = pools.running_of.get_mut(&self.function_arn) {
            *running -= 1;
            if *running == 0 {
                pools.running_of.remove(&self.function_arn);
                pools.turned_away_of.remove(&self.function_arn);
            }
        }
    }
}
