//! Carries rotations out: calls the function for each step, tries again what failed, and begins what is due.

use super::Secrets;
use super::rotation::Running;
use super::secret::{CURRENT, PENDING, Secret, no_secret};
use lambda::{Ask, ServiceCalls, Told};
use serde_json::{Value, json};
use servicekit::call::Caller;
use servicekit::documents::{Edit, unavailable};
use std::collections::BTreeSet;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, JoinHandle};
use wire::ServiceError;

const STEPS: [&str; 4] = ["createSecret", "setSecret", "testSecret", "finishSecret"];
const FAILURES_MAX: u32 = 5;
/// The first pause after a failure; each further one is four times as long.
const PAUSE_S: u64 = 5;
/// A function ends by itself before this.
const STEP_MAX: Duration = Duration::from_secs(910);
/// How long nothing is looked at when nothing is due.
const IDLE: Duration = Duration::from_secs(3_600);

/// Who runs the functions.
pub(super) trait Runner: Send + Sync {
    /// Whether the function is there and lets itself be called for this secret.
    fn may(&self, caller: &Caller, function: &str, secret: &str) -> bool;

    fn run<'a>(&'a self, secret: &'a str, function: &'a str, event: Value) -> Doing<'a>;
}

pub(super) type Doing<'a> = Pin<Box<dyn Future<Output = Result<(), String>> + Send + 'a>>;

/// Cheap to clone.
#[derive(Clone)]
pub(super) struct Rotor(Arc<Inner>);

struct Inner {
    runner: Box<dyn Runner>,
    changed: Notify,
    /// Secrets whose steps are being taken.
    busy: Mutex<BTreeSet<String>>,
    watch: Mutex<Option<AbortHandle>>,
}

impl Rotor {
    pub fn new(runner: Box<dyn Runner>) -> Rotor {
        let (busy, watch) = (Mutex::default(), Mutex::default());
        Rotor(Arc::new(Inner { runner, changed: Notify::new(), busy, watch }))
    }

    /// Something may be due now.
    pub fn wake(&self) {
        self.0.changed.notify_one();
    }

    pub fn check(&self, caller: &Caller, function: &str, secret: &str) -> Result<(), ServiceError> {
        if self.0.runner.may(caller, function, secret) {
            return Ok(());
        }
        let message = "Secrets Manager cannot invoke the specified Lambda function. Ensure that the function policy grants access to the principal secretsmanager.amazonaws.com.";
        Err(ServiceError::new("AccessDeniedException", message))
    }
}

impl Runner for ServiceCalls {
    fn may(&self, caller: &Caller, function: &str, secret: &str) -> bool {
        let sources = [secret.to_owned()];
        ServiceCalls::may(self, &ask(&caller.account, function, &sources, Value::Null))
    }

    fn run<'a>(&'a self, secret: &'a str, function: &'a str, event: Value) -> Doing<'a> {
        Box::pin(async move {
            let sources = [secret.to_owned()];
            let account = secret.split(':').nth(4).unwrap_or_default();
            match self.call(ask(account, function, &sources, event)).await {
                Told::Answer(_) => Ok(()),
                Told::Failed(payload) => Err(String::from_utf8_lossy(&payload).into_owned()),
                Told::Refused => Err(format!("{function} is not there, or does not let itself be called")),
                Told::Throttled => Err("as many functions run as may".to_owned()),
                Told::TimedOut | Told::TooLarge => Err("the function did not end".to_owned()),
            }
        })
    }
}

fn ask<'a>(account: &'a str, function: &'a str, sources: &'a [String], payload: Value) -> Ask<'a> {
    Ask { account, function, sources, by_role: false, payload, timeout: STEP_MAX }
}

impl Secrets {
    pub(super) fn rotor(&self) -> Result<&Rotor, ServiceError> {
        self.rotor.as_ref().ok_or_else(|| unavailable("no functions run here"))
    }

    /// Watches over rotations until `stop_rotations`.
    pub fn watch_rotations(&self) {
        let Some(rotor) = self.rotor.clone() else { return };
        let secrets = self.clone();
        let watching = tokio::spawn(async move {
            let rotor = secrets.rotor.clone();
            while let Some(rotor) = &rotor {
                let wait = secrets.rotate_due().await.map_or(IDLE, |(_, wait)| wait);
                let _ = tokio::time::timeout(wait, rotor.0.changed.notified()).await;
            }
        });
        let before = lock(&rotor.0.watch).replace(watching.abort_handle());
        assert!(before.is_none(), "rotations are watched over once");
    }

    pub fn stop_rotations(&self) {
        if let Some(watching) = self.rotor.as_ref().and_then(|rotor| lock(&rotor.0.watch).take()) {
            watching.abort();
        }
    }

    /// Begins what is due; tells what is under way, and how long until the next one is due.
    pub(super) async fn rotate_due(&self) -> Result<(Vec<JoinHandle<()>>, Duration), ServiceError> {
        let now_s = self.world.now().seconds();
        let (mut begun, mut wait_s) = (Vec::new(), IDLE.as_secs());
        for (key, secret) in self.secrets.list("")? {
            let Some(rotation) = secret.rotation.filter(|one| one.enabled && secret.deleted_s.is_none())
            else {
                continue;
            };
            let due_s = rotation.running.as_ref().map(|one| one.try_s).or(rotation.next_s);
            match due_s {
                Some(due_s) if due_s > now_s => wait_s = wait_s.min(due_s - now_s),
                Some(_) if lock(&self.rotor()?.0.busy).insert(key.clone()) => {
                    let secrets = self.clone();
                    begun.push(tokio::spawn(async move { secrets.rotate(&key).await }));
                }
                _ => {}
            }
        }
        Ok((begun, Duration::from_secs(wait_s.max(1))))
    }

    async fn rotate(&self, key: &str) {
        if let Err(error) = self.try_rotate(key).await {
            world::say!("a secret could not be rotated: {}", error.message.unwrap_or_default());
        }
        if let Some(rotor) = &self.rotor {
            lock(&rotor.0.busy).remove(key);
            rotor.wake();
        }
    }

    async fn try_rotate(&self, key: &str) -> Result<(), ServiceError> {
        let (fresh, now_s) = (self.world.uuid(), self.now_s());
        let begin = |there: Option<Secret>| {
            let mut secret = there.ok_or_else(no_secret)?;
            if secret.rotation.as_ref().is_some_and(|one| one.running.is_none()) {
                secret.begin_rotation(&fresh, now_s);
            }
            let rotation = secret.rotation.clone().ok_or_else(no_secret)?;
            Ok((Edit::Put(secret.clone()), (secret.arn, rotation)))
        };
        let (arn, rotation) = self.secrets.edit(key, begin).await?;
        let Some(Running { token, .. }) = rotation.running else { return Ok(()) };
        let rotor = self.rotor()?;
        let mut told = Ok(());
        for step in STEPS {
            let event = json!({ "Step": step, "SecretId": arn, "ClientRequestToken": token });
            told = rotor.0.runner.run(&arn, &rotation.function, event).await;
            if let Err(error) = &told {
                world::say!("the rotation of {arn} failed at {step}: {error}");
                break;
            }
        }
        let now_s = self.now_s();
        let end = |there: Option<Secret>| {
            let mut secret = there.ok_or_else(no_secret)?;
            settle(&mut secret, &token, told.is_ok(), now_s);
            Ok((Edit::Put(secret), ()))
        };
        self.secrets.edit(key, end).await
    }
}

/// What is left of a rotation whose steps have been taken. One that the function says is done, and whose version is not
/// the current one, is not done.
fn settle(secret: &mut Secret, token: &str, went_well: bool, now_s: f64) {
    let is_current = secret.with_stage(CURRENT).is_some_and(|id| id == token);
    let Some(rotation) = &mut secret.rotation else { return };
    // It was cancelled, or another one has begun.
    let Some(running) = rotation.running.as_mut().filter(|running| running.token == token) else { return };
    if went_well && is_current {
        rotation.running = None;
        rotation.last_s = Some(now_s);
        rotation.next_s = rotation.rules.after(now_s as u64);
        secret.detach(PENDING);
        return;
    }
    running.failures += 1;
    running.try_s = now_s as u64 + PAUSE_S * 4_u64.pow(running.failures - 1);
    if running.failures >= FAILURES_MAX {
        // The version keeps its label for who looks; the next rotation has a version of its own.
        rotation.running = None;
        rotation.next_s = rotation.rules.after(now_s as u64);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
