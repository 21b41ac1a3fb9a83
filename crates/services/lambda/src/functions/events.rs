//! Events: invocations that nobody waits for. Kept until they are done, tried again, told to destinations.

use super::event_config::{EventConfig, EventConfigs, config_key};
use crate::name::FunctionName;
use crate::registry::Registry;
use ::functions::{Invocation, InvokeError, Outcome};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use servicekit::call::Caller;
use servicekit::documents::{Documents, Edit, unavailable};
use servicekit::post::{Place, Post};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;
use store::Store;
use tokio::sync::{Notify, oneshot};
use wire::ServiceError;
use world::{Timestamp, World};

/// Events that may wait at once, in all.
const WAITING_MAX: usize = 100_000;
/// The pauses before the second and the third attempt.
const PAUSES_MS: [u64; 2] = [60_000, 120_000];
/// A throttled event is tried again after this, and ever later up to five minutes.
const THROTTLED_MS: u64 = 1_000;
const THROTTLED_MS_MAX: u64 = 300_000;
const RETRIES_MAX: u32 = 2;
const AGE_S_MAX: u64 = 21_600;

/// An event as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Event {
    pub account: String,
    pub region: String,
    /// The function's ARN, as it was called.
    pub function: String,
    pub request_id: String,
    /// JSON.
    pub payload: String,
    pub client_context: Option<String>,
    pub accepted_ms: u64,
    /// Attempts that have ended, badly.
    pub attempts: u32,
    pub throttles: u32,
    /// Not before.
    pub due_ms: u64,
}

#[derive(Clone)]
pub(super) struct Events {
    world: World,
    registry: Registry,
    functions: ::functions::Functions,
    events: Documents<Event>,
    pub configs: EventConfigs,
    pub post: Post,
    waiting: Arc<AtomicUsize>,
    /// Told when an event has come to its end.
    ended: Arc<Notify>,
}

/// What becomes of an event after an attempt.
#[derive(Debug, PartialEq)]
pub(super) enum Step {
    Again { after_ms: u64 },
    End { condition: &'static str },
}

/// Decides what follows an attempt. `age_ms` is the event's.
pub(super) fn after(
    attempt: &Result<bool, InvokeError>,
    attempts: u32,
    throttles: u32,
    age_ms: u64,
    config: &EventConfig,
) -> Step {
    let age_ms_max = config.age_s_max.unwrap_or(AGE_S_MAX) * 1_000;
    let again = |after_ms: u64| match age_ms + after_ms > age_ms_max {
        true => Step::End { condition: "EventAgeExceeded" },
        false => Step::Again { after_ms },
    };
    match attempt {
        Ok(true) => Step::End { condition: "Success" },
        Ok(false) if attempts > config.retries_max.unwrap_or(RETRIES_MAX) => {
            Step::End { condition: "RetriesExhausted" }
        }
        Ok(false) => again(PAUSES_MS[(attempts.max(1) as usize - 1).min(1)]),
        Err(_) => again((THROTTLED_MS << throttles.min(16)).min(THROTTLED_MS_MAX)),
    }
}

impl Events {
    pub fn new(
        store: &Store,
        world: &World,
        registry: &Registry,
        functions: &::functions::Functions,
        post: &Post,
    ) -> Events {
        Events {
            world: world.clone(),
            registry: registry.clone(),
            functions: functions.clone(),
            events: Documents::new(store, "lambda/event"),
            configs: Documents::new(store, "lambda/event-invoke"),
            post: post.clone(),
            waiting: Arc::default(),
            ended: Arc::default(),
        }
    }

    /// Takes up every event that was left when the server ended.
    pub fn resume(&self) {
        let (Ok(left), Ok(runtime)) = (self.events.list(""), tokio::runtime::Handle::try_current()) else {
            return;
        };
        for (id, _) in left {
            self.waiting.fetch_add(1, Ordering::Relaxed);
            runtime.spawn(self.clone().run(id));
        }
    }

    /// Keeps an event for good: from here on it runs by itself.
    pub async fn accept(
        &self,
        caller: &Caller,
        function: String,
        request_id: String,
        payload: String,
        client_context: Option<String>,
    ) -> Result<(), ServiceError> {
        if self.waiting.load(Ordering::Relaxed) >= WAITING_MAX {
            return Err(ServiceError::new("TooManyRequestsException", "Too many events are waiting.")
                .with_status(429)
                .with("Reason", "CallerRateLimitExceeded"));
        }
        let now_ms = self.world.now().millis();
        let event = Event {
            account: caller.account.to_string(),
            region: caller.region.to_string(),
            function,
            request_id,
            payload,
            client_context,
            accepted_ms: now_ms,
            attempts: 0,
            throttles: 0,
            due_ms: now_ms,
        };
        // Several events may come of one request: a destination's has its own id.
        let id = self.world.uuid();
        self.waiting.fetch_add(1, Ordering::Relaxed);
        // Kept and begun also when whoever sent it goes away meanwhile.
        let (told, kept) = oneshot::channel();
        let events = self.clone();
        tokio::spawn(async move {
            let put = events.events.put(&id, event).await;
            let is_kept = put.is_ok();
            let _ = told.send(put);
            match is_kept {
                true => events.run(id).await,
                false => drop(events.waiting.fetch_sub(1, Ordering::Relaxed)),
            }
        });
        kept.await.unwrap_or_else(|_| Err(unavailable("the server is being stopped")))
    }

    /// Resolves when no event waits any more.
    pub async fn idle(&self) {
        loop {
            let ended = self.ended.notified();
            tokio::pin!(ended);
            ended.as_mut().enable();
            if self.waiting.load(Ordering::Relaxed) == 0 {
                return;
            }
            ended.await;
        }
    }

    fn run(self, id: String) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        Box::pin(async move {
            if self.run_to_its_end(&id).await {
                self.waiting.fetch_sub(1, Ordering::Relaxed);
                self.ended.notify_waiters();
            }
        })
    }

    /// False when the server goes down first: the event stays.
    async fn run_to_its_end(&self, id: &str) -> bool {
        loop {
            let Ok(Some(event)) = self.events.get(id) else { return true };
            let wait_ms = event.due_ms.saturating_sub(self.world.now().millis());
            tokio::time::sleep(Duration::from_millis(wait_ms)).await;
            let caller = Caller {
                account: event.account.as_str().into(),
                region: event.region.as_str().into(),
                access_key: None,
            };
            let Ok(name) = FunctionName::parse(&event.function, &caller) else { return self.drop(id).await };
            let draw = self.world.random_u64();
            // A function that has gone takes its events with it.
            let Ok(function) = self.registry.pick(&caller, &name, draw) else { return self.drop(id).await };
            let Some(config) = self.registry.config(&function, &caller) else { return self.drop(id).await };
            let dead_letter = function.dead_letter;
            let invocation = Invocation {
                request_id: event.request_id.clone(),
                payload: event.payload.clone().into(),
                client_context: event.client_context.clone(),
                function_arn: event.function.clone(),
            };
            let attempt = self.functions.invoke(Arc::new(config), invocation).await;
            if matches!(attempt, Err(InvokeError::Closed)) {
                return false;
            }
            let settings = self.configs.get(&config_key(&caller, &name)).ok().flatten().unwrap_or_default();
            let now_ms = self.world.now().millis();
            let (attempts, throttles) = match &attempt {
                Ok(_) => (event.attempts + 1, 0),
                Err(_) => (event.attempts, event.throttles + 1),
            };
            // Nothing runs while no concurrency is reserved: such an event is not kept waiting. [suite: recorded answers]
            let is_blocked = function.reserved_concurrency == Some(0) && attempt.is_err();
            let ended_well = attempt.as_ref().map(|done| !done.failed).map_err(Clone::clone);
            let age_ms = now_ms.saturating_sub(event.accepted_ms);
            let step = match is_blocked {
                true => Step::End { condition: "ZeroReservedConcurrency" },
                false => after(&ended_well, attempts, event.throttles, age_ms, &settings),
            };
            match step {
                Step::Again { after_ms } => {
                    let next = Event { attempts, throttles, due_ms: now_ms + after_ms, ..event };
                    if self.events.edit(id, |_| Ok((Edit::Put(next.clone()), ()))).await.is_err() {
                        return false;
                    }
                }
                Step::End { condition } => {
                    let to = if condition == "Success" { &settings.on_success } else { &settings.on_failure };
                    if let Some(to) = to {
                        let told =
                            account(&event, attempts, condition, attempt.as_ref().ok(), self.world.now());
                        // Sent before the event is let go: a crash in between tells it twice.
                        if let Err(error) = self.tell(&caller, &event, to, told).await {
                            world::say!("{to} was not told of event {}: {error}", event.request_id);
                        }
                    }
                    if condition != "Success"
                        && let Some(to) = &dead_letter
                        && let Err(error) = self.bury(&caller, &event, to, attempt.as_ref().ok()).await
                    {
                        world::say!("{to} did not take event {}: {error}", event.request_id);
                    }
                    return self.drop(id).await;
                }
            }
        }
    }

    async fn tell(&self, caller: &Caller, event: &Event, to: &str, told: String) -> Result<(), String> {
        let Some(place) = Place::parse(to) else {
            let sent = self.accept(caller, to.to_owned(), self.world.uuid(), told, None).await;
            return sent.map_err(|error| error.message.unwrap_or_default());
        };
        let now = self.world.now().iso_seconds();
        let name = event.function.split(':').nth(6).unwrap_or_default();
        let (day, time) = (now[..10].replace('-', "/"), now[..19].replace(':', "."));
        let key = format!("aws/lambda/async/{name}/{day}/{time}-{}", self.world.uuid());
        self.post.send(&place, &caller.region, &key, &told).await
    }

    /// Hands the event itself to a dead-letter queue, with what went wrong beside it.
    async fn bury(
        &self,
        caller: &Caller,
        event: &Event,
        to: &str,
        outcome: Option<&Outcome>,
    ) -> Result<(), String> {
        let place = Place::parse(to).ok_or("it is no queue or topic")?;
        let told = outcome.and_then(|outcome| serde_json::from_slice::<Value>(&outcome.payload).ok());
        let message = told.as_ref().and_then(|told| told.get("errorMessage")).and_then(Value::as_str);
        let message: String = message.unwrap_or("Rate Exceeded.").chars().take(1_024).collect();
        let code = if outcome.is_some() { "200" } else { "429" };
        let mut attributes =
            vec![("RequestID", "String", event.request_id.clone()), ("ErrorCode", "Number", code.to_owned())];
        // Attributes are never empty.
        if !message.is_empty() {
            attributes.push(("ErrorMessage", "String", message));
        }
        self.post.send_with(&place, &caller.region, &event.payload, &attributes).await
    }

    async fn drop(&self, id: &str) -> bool {
        let _ = self.events.remove(id).await;
        true
    }
}

/// What a destination is told.
fn account(
    event: &Event,
    attempts: u32,
    condition: &str,
    outcome: Option<&Outcome>,
    now: Timestamp,
) -> String {
    let as_json = |bytes: &[u8]| {
        serde_json::from_slice::<Value>(bytes)
            .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
    };
    let qualified = match event.function.split(':').count() {
        ..=7 => format!("{}:$LATEST", event.function),
        _ => event.function.clone(),
    };
    let mut told = json!({
        "version": "1.0",
        "timestamp": format!("{}Z", now.iso_millis()),
        "requestContext": {
            "requestId": event.request_id,
            "functionArn": qualified,
            "condition": condition,
            "approximateInvokeCount": attempts,
        },
        "requestPayload": as_json(event.payload.as_bytes()),
    });
    if let Some(outcome) = outcome {
        told["responseContext"] = json!({ "statusCode": 200, "executedVersion": outcome.version });
        if outcome.failed {
            told["responseContext"]["functionError"] = "Unhandled".into();
        }
        told["responsePayload"] = as_json(&outcome.payload);
    }
    told.to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attempts_end() {
        let (plain, none) =
            (EventConfig::default(), EventConfig { retries_max: Some(0), ..Default::default() });
        let short = EventConfig { age_s_max: Some(60), ..Default::default() };
        let throttled = || Err(InvokeError::Throttled { reserved: true });
        let end = |condition| Step::End { condition };
        for (attempt, attempts, throttles, age_ms, config, expect) in [
            (Ok(true), 1, 0, 0, &plain, end("Success")),
            (Ok(false), 1, 0, 0, &plain, Step::Again { after_ms: 60_000 }),
            (Ok(false), 2, 0, 0, &plain, Step::Again { after_ms: 120_000 }),
            (Ok(false), 3, 0, 0, &plain, end("RetriesExhausted")),
            (Ok(false), 1, 0, 0, &none, end("RetriesExhausted")),
            (Ok(false), 1, 0, 1, &short, end("EventAgeExceeded")),
            (throttled(), 0, 0, 0, &none, Step::Again { after_ms: 1_000 }),
            (throttled(), 0, 5, 0, &plain, Step::Again { after_ms: 32_000 }),
            (throttled(), 0, 60, 0, &plain, Step::Again { after_ms: 300_000 }),
            (throttled(), 0, 6, 30_000, &short, end("EventAgeExceeded")),
            (throttled(), 0, 60, 21_500_000, &plain, end("EventAgeExceeded")),
        ] {
            assert_eq!(
                after(&attempt, attempts, throttles, age_ms, config),
                expect,
                "{attempt:?} {attempts} {age_ms}"
            );
        }
    }
}
