//! Small durable documents: what a service keeps of one kind, by name. A format byte, then JSON, in the store's `Meta`.

use serde::Serialize;
use serde::de::DeserializeOwned;
use std::marker::PhantomData;
use store::{Commit, Order, Space, Store, UpdateError};
use wire::ServiceError;

/// The format of every document so far. A later one reads this one too.
const FORMAT: u8 = 1;

/// What an edit leaves behind.
pub enum Edit<T> {
    Keep,
    Put(T),
    Remove,
}

/// The documents of one kind. Names may hold anything but a zero byte, which parts the kind from the name.
pub struct Documents<T> {
    store: Store,
    kind: &'static str,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for Documents<T> {
    fn clone(&self) -> Documents<T> {
        Documents { store: self.store.clone(), kind: self.kind, of: PhantomData }
    }
}

impl<T: Clone + Serialize + DeserializeOwned> Documents<T> {
    /// `kind` is a path such as `iam/role`; no kind may begin with another one and a zero byte.
    pub fn new(store: &Store, kind: &'static str) -> Documents<T> {
        Documents { store: store.clone(), kind, of: PhantomData }
    }

    fn key(&self, name: &str) -> Vec<u8> {
        [self.kind.as_bytes(), b"\0", name.as_bytes()].concat()
    }

    pub fn get(&self, name: &str) -> Result<Option<T>, ServiceError> {
        let found = self.store.snapshot().get(Space::Meta, &self.key(name)).map_err(unavailable)?;
        found.map(|bytes| decode(&bytes)).transpose()
    }

    /// A document as it is kept: whether it is still the same.
    pub fn bytes(&self, name: &str) -> Option<store::Slice> {
        self.store.snapshot().get(Space::Meta, &self.key(name)).ok().flatten()
    }

    /// Every document whose name begins so, in the order of names, with the rest of its name.
    pub fn list(&self, name_prefix: &str) -> Result<Vec<(String, T)>, ServiceError> {
        let from = self.key(name_prefix);
        let mut to = from.clone();
        to.push(0xff); // Names are UTF-8, which has no such byte.
        let snapshot = self.store.snapshot();
        let mut found = Vec::new();
        for entry in snapshot.range(Space::Meta, &from, &to, Order::Forward) {
            let (key, value) = entry.map_err(unavailable)?;
            let name = String::from_utf8_lossy(&key[from.len()..]).into_owned();
            found.push((name, decode(&value)?));
        }
        Ok(found)
    }

    /// Reads one document and puts, keeps or removes it, as one durable step. `change` may be run again.
    pub async fn edit<R>(
        &self,
        name: &str,
        change: impl FnMut(Option<T>) -> Result<(Edit<T>, R), ServiceError>,
    ) -> Result<R, ServiceError> {
        match self.begin(name, change) {
            Ok((answer, commit)) => {
                commit.await.map_err(unavailable)?;
                Ok(answer)
            }
            Err(UpdateError::Plan { error, after }) => {
                after.await.map_err(unavailable)?;
                Err(error)
            }
            Err(UpdateError::Store(error)) => Err(unavailable(error)),
        }
    }

    /// The same step, begun: it is durable when its commit is ready.
    pub fn begin<R>(
        &self,
        name: &str,
        mut change: impl FnMut(Option<T>) -> Result<(Edit<T>, R), ServiceError>,
    ) -> Result<(R, Commit), UpdateError<ServiceError>> {
        let key = self.key(name);
        let keys = [(Space::Meta, key.clone())];
        self.store.update(&keys, |before, batch| {
            let (edit, answer) = change(before.get(0).map(decode).transpose()?)?;
            match edit {
                Edit::Keep => {}
                Edit::Put(document) => batch.put(Space::Meta, key.clone(), encode(&document)),
                Edit::Remove => batch.remove(Space::Meta, key.clone()),
            }
            Ok(answer)
        })
    }

    /// Puts a document whatever was there.
    pub async fn put(&self, name: &str, document: T) -> Result<(), ServiceError> {
        self.edit(name, |_| Ok((Edit::Put(document.clone()), ()))).await
    }

    pub async fn remove(&self, name: &str) -> Result<Option<T>, ServiceError> {
        self.edit(name, |old| Ok((Edit::Remove, old))).await
    }
}

fn encode<T: Serialize>(document: &T) -> Vec<u8> {
    let mut bytes = vec![FORMAT];
    serde_json::to_writer(&mut bytes, document).expect("documents are plain data");
    bytes
}

fn decode<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, ServiceError> {
    match bytes.split_first() {
        Some((&FORMAT, json)) => serde_json::from_slice(json).map_err(unavailable),
        Some((other, _)) => {
            Err(unavailable(format!("a document of format {other}, which this version cannot read")))
        }
        None => Err(unavailable("an empty document")),
    }
}

/// The store failed us: the client learns that it may try again, the operator what happened.
pub fn unavailable(error: impl std::fmt::Display) -> ServiceError {
    ServiceError::new("InternalFailure", format!("The data directory could not be read or written: {error}"))
        .with_status(500)
}
