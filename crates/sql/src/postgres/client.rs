//! The driver on one thread: whoever asks waits for the answer, and no longer than is allowed.

use bytes::Bytes;
use futures_util::{SinkExt, TryStreamExt};
use postgres::tls::MakeTlsConnect;
use postgres::types::ToSql;
use postgres::{Config, Error, Row, SimpleQueryMessage, Socket, Statement};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::Poll;
use std::time::Duration;
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// How long saying goodbye may take.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// How a call failed.
pub(super) enum Fault {
    Told(Error),
    /// Somebody is there and has said nothing for this long.
    Silence(Duration),
    /// The system gives no more of what waiting takes.
    NoRuntime(std::io::Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Told(error)
    }
}

pub(super) struct Client {
    // It goes first: its end is what the line sees and tells the server.
    client: postgres::Client,
    line: Line,
}

type Moving = Pin<Box<dyn Future<Output = Result<(), Error>> + Send>>;

/// What moves bytes while somebody waits.
struct Line {
    runtime: Runtime,
    /// None: it has ended, or was given up.
    connection: Option<Moving>,
    /// How long an answer is waited for; none: as long as it takes.
    limit: Option<Duration>,
}

impl Client {
    /// `opening_max`: for all of the way in. `limit`: for each call after it.
    pub fn connect<T>(
        config: &Config,
        tls: T,
        opening_max: Duration,
        limit: Option<Duration>,
    ) -> Result<Client, Fault>
    where
        T: MakeTlsConnect<Socket>,
        T::Stream: Send + 'static,
    {
        let runtime = Builder::new_current_thread().enable_all().build().map_err(Fault::NoRuntime)?;
        let opened = runtime.block_on(async { timeout(opening_max, config.connect(tls)).await });
        let (client, connection) = opened.map_err(|_| Fault::Silence(opening_max))??;
        Ok(Client { client, line: Line { runtime, connection: Some(Box::pin(connection)), limit } })
    }

    pub fn is_closed(&self) -> bool {
        self.client.is_closed()
    }

    pub fn prepare(&mut self, sql: &str) -> Result<Statement, Fault> {
        self.line.wait(self.client.prepare(sql))
    }

    pub fn execute(&mut self, statement: &Statement, values: &[&(dyn ToSql + Sync)]) -> Result<u64, Fault> {
        self.line.wait(self.client.execute(statement, values))
    }

    /// Gives away each row; the number of rows that were changed.
    pub fn rows<'v>(
        &mut self,
        statement: &Statement,
        values: impl ExactSizeIterator<Item = &'v dyn ToSql>,
        mut each: impl FnMut(&Row) -> Result<(), Error>,
    ) -> Result<u64, Fault> {
        let client = &self.client;
        self.line.wait(async {
            let mut rows = pin!(client.query_raw(statement, values).await?);
            while let Some(row) = rows.try_next().await? {
                each(&row)?;
            }
            Ok(rows.rows_affected().unwrap_or_default())
        })
    }

    pub fn batch(&mut self, sql: &str) -> Result<(), Fault> {
        self.line.wait(self.client.batch_execute(sql))
    }

    pub fn simple(&mut self, sql: &str) -> Result<Vec<SimpleQueryMessage>, Fault> {
        self.line.wait(self.client.simple_query(sql))
    }

    /// Sends what COPY takes.
    pub fn copy_in(&mut self, statement: &Statement, bytes: Bytes) -> Result<u64, Fault> {
        let client = &self.client;
        self.line.wait(async {
            let mut sink = pin!(client.copy_in(statement).await?);
            // Where this fails, the end says why.
            let _ = sink.send(bytes).await;
            sink.finish().await
        })
    }
}

impl Line {
    fn wait<T>(&mut self, call: impl Future<Output = Result<T, Error>>) -> Result<T, Fault> {
        let connection = &mut self.connection;
        let mut call = pin!(call);
        let moving = poll_fn(|context| {
            if let Some(bytes) = connection
                && let Poll::Ready(ended) = bytes.as_mut().poll(context)
            {
                *connection = None;
                if let Err(error) = ended {
                    return Poll::Ready(Err(error));
                }
            }
            call.as_mut().poll(context)
        });
        let Some(limit) = self.limit else { return Ok(self.runtime.block_on(moving)?) };
        match self.runtime.block_on(async { timeout(limit, moving).await }) {
            Ok(done) => Ok(done?),
            Err(_) => {
                self.connection = None;
                Err(Fault::Silence(limit))
            }
        }
    }
}

/// The server is told, and no answer is waited for.
impl Drop for Line {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            let _ = self.runtime.block_on(async { timeout(FAREWELL_MAX, connection).await });
        }
    }
}
