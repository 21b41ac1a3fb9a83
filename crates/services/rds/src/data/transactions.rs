//! Transactions that live between calls: each holds its connection, dies when nobody calls for a while, and never lives
//! longer than a day.

use super::{Door, RdsData, bad_request, errors};
use serde_json::{Value, json};
use servicekit::call::{Answer, Call};
use servicekit::fields::required;
use sql::Connection;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use wire::ServiceError;
use world::World;

const IDLE_MAX: Duration = Duration::from_secs(180);
const LIFE_MAX: Duration = Duration::from_secs(24 * 3600);
/// Each is a connection.
const OPEN_MAX: usize = 50;
/// Ids whose end is remembered, to say what became of them.
const ENDED_MAX: usize = 1000;

#[derive(Clone)]
pub(super) struct Transactions {
    world: World,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    open: BTreeMap<String, Open>,
    ended: Vec<(String, &'static str)>,
}

struct Open {
    cluster: String,
    /// None while a call uses it.
    connection: Option<Connection>,
    begun: Duration,
    used: Duration,
}

/// A transaction's connection on loan; it goes back with `give_back`, or the transaction ends.
pub(super) struct Loan {
    id: String,
    transactions: Transactions,
    connection: Option<Connection>,
}

impl Transactions {
    pub fn new(world: &World) -> Transactions {
        Transactions { world: world.clone(), state: Arc::default() }
    }

    fn locked(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends those whose time is over. What goes out of scope is rolled back by its server.
    fn sweep(&self) {
        let now = self.world.elapsed();
        let mut over = Vec::new();
        let mut state = self.locked();
        let ids: Vec<String> = state.open.keys().cloned().collect();
        for id in ids {
            let is_over = state.open.get(&id).is_some_and(|open| {
                open.connection.is_some() && (now - open.used >= IDLE_MAX || now - open.begun >= LIFE_MAX)
            });
            if is_over {
                over.extend(state.end(&id, "Transaction has expired"));
            }
        }
        drop(state);
        close(over);
    }

    fn add(&self, cluster: &str, connection: Connection) -> Result<String, ServiceError> {
        self.sweep();
        let now = self.world.elapsed();
        let mut state = self.locked();
        if state.open.len() >= OPEN_MAX {
            drop(state);
            close(vec![connection]);
            return Err(bad_request(format!("{OPEN_MAX} transactions are open; end one first")));
        }
        let mut random = [0; 96];
        self.world.fill_secret(&mut random);
        let id = wire::base64::encode(&random);
        let open = Open { cluster: cluster.to_owned(), connection: Some(connection), begun: now, used: now };
        state.open.insert(id.clone(), open);
        drop(state);
        self.watch(&id);
        Ok(id)
    }

    /// Looks after a transaction that nobody may ever ask about again.
    fn watch(&self, id: &str) {
        let (transactions, id) = (self.clone(), id.to_owned());
        tokio::spawn(async move {
            while transactions.locked().open.contains_key(&id) {
                tokio::time::sleep(IDLE_MAX / 4).await;
                transactions.sweep();
            }
        });
    }

    pub fn borrow(&self, cluster: &str, id: &str) -> Result<Loan, ServiceError> {
        self.sweep();
        let mut state = self.locked();
        let ended = state.ended.iter().find(|(ended, _)| ended == id).map(|(_, why)| *why);
        match state.open.get_mut(id).filter(|open| open.cluster == cluster) {
            Some(open) => match open.connection.take() {
                Some(connection) => {
                    Ok(Loan { id: id.to_owned(), transactions: self.clone(), connection: Some(connection) })
                }
                None => Err(errors::database("Transaction is still running a query")),
            },
            None => {
                let why = ended.map_or(String::new(), |why| format!(": {why}"));
                let message = format!("Transaction {id} is not found{why}");
                Err(ServiceError::new("TransactionNotFoundException", message).with_status(404))
            }
        }
    }
}

impl State {
    fn end(&mut self, id: &str, why: &'static str) -> Option<Connection> {
        let open = self.open.remove(id)?;
        if self.ended.len() == ENDED_MAX {
            self.ended.remove(0);
        }
        self.ended.push((id.to_owned(), why));
        open.connection
    }
}

/// Closing says goodbye to a server, which waits: never on a thread that serves others.
fn close(connections: Vec<Connection>) {
    if !connections.is_empty() {
        tokio::task::spawn_blocking(move || drop(connections));
    }
}

impl Loan {
    pub fn take(&mut self) -> Option<Connection> {
        self.connection.take()
    }

    pub fn give_back(self, mut connection: Connection) {
        let now = self.transactions.world.elapsed();
        let mut state = self.transactions.locked();
        if !connection.is_open() {
            let _ = state.end(&self.id, "Transaction was aborted by an error");
        } else if let Some(open) = state.open.get_mut(&self.id) {
            (open.used, open.connection) = (now, Some(connection));
            return;
        }
        drop(state);
        close(vec![connection]);
    }

    fn end(self, why: &'static str) {
        let left = self.transactions.locked().end(&self.id, why);
        close(left.into_iter().collect());
    }
}

impl RdsData {
    pub(super) async fn begin_transaction(&self, call: &Call, input: &Value) -> Answer {
        let door = self.door(call, input).await?;
        let connection = door.open(false).await?;
        let begun = crate::blocking(move || {
            let mut connection = connection;
            connection.begin().map(|()| connection)
        });
        let connection = begun.await?.map_err(|error| door.error(&error))?;
        Ok(json!({"transactionId": self.transactions.add(&door.cluster.resource, connection)?}))
    }

    pub(super) async fn end_transaction(
        &self,
        call: &Call,
        input: &Value,
        commit: bool,
    ) -> Result<(), ServiceError> {
        let door: Door = self.door(call, input).await?;
        let mut loan = self.transactions.borrow(&door.cluster.resource, required(input, "transactionId"))?;
        let Some(mut connection) = loan.take() else { return Ok(()) };
        let done = crate::blocking(move || if commit { connection.commit() } else { connection.rollback() });
        let done = done.await;
        loan.end("it was ended by an earlier call");
        done?.map_err(|error| door.error(&error))
    }
}
