//! Functions as targets of mappings: a batch becomes an event, an answer becomes an outcome.

use super::letter::LetterBox;
use super::name::FunctionName;
use super::registry::{self, Registry};
use super::window;
use ::functions::{FunctionConfig, Functions, Invocation, InvokeError, Relay};
use access::Keys;
use api::dynamodb::{StreamRecord, stream_record};
use bytes::Bytes;
use engine::stream::{Event, Record, Sequence};
use feed::{Batch, BoxFuture, Delivery, Destination, Frame, Mapping, Outcome, Report, Target, Targets};
use servicekit::Mode;
use servicekit::call::Caller;
use servicekit::post::{Place, Post};
use std::collections::HashMap;
use std::str::FromStr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use store::Store;
use world::World;

/// Makes the targets of event source mappings.
#[derive(Clone)]
pub struct LambdaTargets {
    pub registry: Registry,
    pub(crate) functions: Functions,
    pub(crate) world: World,
    pub post: Post,
}

impl LambdaTargets {
    pub fn new(store: &Store, functions: &Functions, world: &World) -> LambdaTargets {
        LambdaTargets {
            registry: Registry::new(store),
            functions: functions.clone(),
            world: world.clone(),
            post: Post::new(world),
        }
    }

    /// Who gives functions their credentials. Functions run from then on.
    pub fn hand_keys(&self, keys: &Keys, mode: Mode) {
        let _ = self.registry.keys.set((keys.clone(), mode));
        self.registry.changed.notify_waiters();
    }
}

impl Targets for LambdaTargets {
    fn destination(&self, mapping: &Mapping) -> Option<Arc<dyn Destination>> {
        let place = Place::parse(mapping.on_failure.as_deref()?)?;
        Some(Arc::new(LetterBox { place, post: self.post.clone(), world: self.world.clone() }))
    }

    fn target(&self, mapping: &Mapping) -> Arc<dyn Target> {
        Arc::new(FunctionTarget {
            caller: Caller {
                account: mapping.account.as_str().into(),
                region: mapping.region.as_str().into(),
                access_key: None,
            },
            stream: mapping.stream.clone(),
            function: mapping.target.clone(),
            partial: mapping.policy.partial,
            parts: self.clone(),
            lanes: Mutex::default(),
            known: Mutex::default(),
        })
    }
}

struct FunctionTarget {
    caller: Caller,
    stream: String,
    /// The function's ARN.
    function: String,
    /// Whether its answer may name records that failed.
    partial: bool,
    parts: LambdaTargets,
    lanes: Mutex<HashMap<(Arc<str>, usize), Relays>>,
    known: Mutex<Option<Known>>,
}

/// How the function runs, as long as it is kept as it was read.
struct Known {
    kept: store::Slice,
    config: Arc<FunctionConfig>,
    read: Duration,
}

/// Credentials are others from time to time.
const KNOWN_FOR: Duration = Duration::from_secs(60);

/// What stands behind a lane's batch in flight, and behind the one that lies ready.
struct Relays {
    flying: Relay,
    ready: Option<Relay>,
}

impl FunctionTarget {
    /// The function as it is now: it may change, go and come back while a mapping runs.
    fn config(&self) -> Option<Arc<FunctionConfig>> {
        let name = FunctionName::parse(&self.function, &self.caller).ok()?;
        let registry = &self.parts.registry;
        let read = || {
            let function = registry.pick(&self.caller, &name, self.parts.world.random_u64()).ok()?;
            registry.config(&function, &self.caller).map(Arc::new)
        };
        // A version or an alias is more than one document.
        let plain = name.qualifier.as_deref().is_none_or(|qualifier| qualifier == "$LATEST");
        let kept = plain.then(|| registry.functions.bytes(&registry::key(&self.caller, &name.name)));
        let Some(kept) = kept.flatten() else { return read() };
        let now = self.parts.world.elapsed();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = &*known
            && known.kept == kept
            && now < known.read + KNOWN_FOR
        {
            return Some(known.config.clone());
        }
        let config = read()?;
        *known = Some(Known { kept, config: config.clone(), read: now });
        Some(config)
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<(Arc<str>, usize), Relays>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn run(&self, batch: Batch) -> Delivery {
        let unreachable = |why: String| Delivery { error: Some(why), ..Delivery::of(Outcome::Unavailable) };
        let Some(config) = self.config() else {
            return unreachable(format!("{} does not exist, or cannot run here", self.function));
        };
        let invocation = self.invocation(&batch);
        let sent = Sent::of(&batch, &invocation, self.partial);
        let relay = sent.relay();
        let lane = (batch.shard, batch.lane);
        self.lanes().insert(lane.clone(), Relays { flying: relay.clone(), ready: None });
        let done = self.parts.functions.invoke_relayed(config, invocation, relay).await;
        match done {
            Ok(done) => {
                self.landed(&lane, done.followed);
                sent.read(done)
            }
            Err(why) => {
                self.landed(&lane, false);
                unreachable(told(&why))
            }
        }
    }

    fn invocation(&self, batch: &Batch) -> Invocation {
        Invocation {
            request_id: self.parts.world.uuid(),
            payload: event(batch),
            client_context: None,
            function_arn: self.function.clone(),
        }
    }

    /// What stood behind the batch in flight is over; what lay ready is in flight itself, or comes to nothing.
    fn landed(&self, lane: &(Arc<str>, usize), followed: bool) {
        let mut lanes = self.lanes();
        let ready = lanes.remove(lane).and_then(|relays| relays.ready).filter(|_| followed);
        if let Some(flying) = ready {
            lanes.insert(lane.clone(), Relays { flying, ready: None });
        }
    }
}

/// What is known of a batch when its answer comes.
struct Sent {
    request_id: String,
    /// Whether it may name records that failed, and of which.
    sequences: Option<Arc<[u64]>>,
    frame: Option<Frame>,
}

impl Sent {
    fn of(batch: &Batch, invocation: &Invocation, partial: bool) -> Sent {
        let sequences = || batch.records.iter().map(|record| record.sequence).collect();
        Sent {
            request_id: invocation.request_id.clone(),
            sequences: (partial && !batch.records.is_empty()).then(sequences),
            frame: batch.frame.clone(),
        }
    }

    /// Lets another batch follow an answer that accepts all of this one.
    fn relay(&self) -> Relay {
        let sequences = self.sequences.clone();
        Relay::new(move |answer| match &sequences {
            Some(sequences) => verdict(answer, sequences) == Outcome::Accepted,
            None => true,
        })
    }

    fn read(self, done: ::functions::Outcome) -> Delivery {
        let state = match &self.frame {
            Some(frame) if !done.failed => {
                Some(window::state(&done.payload).or(frame.is_final.then(Bytes::new)))
            }
            _ => None,
        };
        let outcome = if done.failed || state == Some(None) {
            // [reference: event-source-mapping §7] An answer without a state fails a batch of a window.
            Outcome::Refused
        } else if let Some(sequences) = &self.sequences {
            verdict(&done.payload, sequences)
        } else {
            Outcome::Accepted
        };
        let error = match outcome {
            Outcome::Accepted => None,
            _ if state == Some(None) => Some(format!(
                "the answer to a batch of a tumbling window has to hold a state, an object: {}",
                complaint(&done.payload)
            )),
            _ => Some(complaint(&done.payload)),
        };
        let failure = done.failed.then(|| "Unhandled".to_owned());
        let report = Report { request_id: self.request_id, version: done.version, error: failure };
        Delivery {
            error,
            report: Some(report),
            state: state.flatten(),
            followed: done.followed,
            ..Delivery::of(outcome)
        }
    }
}

fn verdict(answer: &[u8], sequences: &[u64]) -> Outcome {
    let parse = |text: &str| Sequence::from_str(text).ok().map(|sequence| sequence.0);
    feed::read_verdict(answer, sequences, parse)
}

fn told(why: &InvokeError) -> String {
    match why {
        InvokeError::Throttled { .. } => "throttled: as many invocations run as may".to_owned(),
        InvokeError::Closed => "the server is going down".to_owned(),
    }
}

/// How much of an answer is kept for who asks why.
const COMPLAINT_CHARS_MAX: usize = 500;

fn complaint(payload: &[u8]) -> String {
    String::from_utf8_lossy(payload).chars().take(COMPLAINT_CHARS_MAX).collect()
}

impl Target for FunctionTarget {
    fn encode(&self, record: &Record, out: &mut Vec<u8>) -> Result<(), String> {
        let (id, sequence) = (record.event_id(), record.sequence.digits());
        let told = StreamRecord {
            event_id: &id,
            event_name: match record.event {
                Event::Insert => "INSERT",
                Event::Modify => "MODIFY",
                Event::Remove => "REMOVE",
            },
            region: &self.caller.region,
            created_seconds: record.created.seconds(),
            keys: record.keys(),
            new_image: record.after(),
            old_image: record.before(),
            sequence_number: &sequence,
            size_bytes: record.size_bytes as usize,
            view_type: record.view.as_str(),
            service_delete: record.service_delete,
            source_arn: Some(&self.stream),
        };
        stream_record(&told, out).map_err(|error| format!("{error:?}"))
    }

    fn deliver(&self, batch: Batch) -> BoxFuture<'_, Delivery> {
        Box::pin(self.run(batch))
    }

    fn follow(self: Arc<Self>, batch: Batch) -> Option<BoxFuture<'static, Option<Delivery>>> {
        let config = self.config()?;
        let invocation = self.invocation(&batch);
        let sent = Sent::of(&batch, &invocation, self.partial);
        let behind = sent.relay();
        let lane = (batch.shard, batch.lane);
        let done = {
            let mut lanes = self.lanes();
            let relays = lanes.get_mut(&lane)?;
            relays.ready = Some(behind.clone());
            relays.flying.follow(config, invocation, behind)?
        };
        Some(Box::pin(async move {
            let done = done.await.ok()?;
            self.landed(&lane, done.followed);
            Some(sent.read(done))
        }))
    }

    fn withdraw(&self, shard: &Arc<str>, lane: usize) {
        if let Some(relays) = self.lanes().get(&(shard.clone(), lane)) {
            relays.flying.withdraw();
        }
    }

    fn changed(&self) -> BoxFuture<'_, ()> {
        Box::pin(self.parts.registry.changed.notified())
    }
}

fn event(batch: &Batch) -> Bytes {
    let bytes: usize = batch.records.iter().map(|record| record.encoded.len() + 1).sum();
    let framing = batch.frame.as_ref().map_or(0, feed::Frame::bytes);
    let mut event = Vec::with_capacity(bytes + framing + 14);
    event.extend_from_slice(br#"{"Records":["#);
    for (index, record) in batch.records.iter().enumerate() {
        if index > 0 {
            event.push(b',');
        }
        event.extend_from_slice(&record.encoded);
    }
    event.push(b']');
    if let Some(frame) = &batch.frame {
        window::write(frame, batch, &mut event);
    }
    event.push(b'}');
    event.into()
}
