//! Shard iterators: a position in a shard, as a token that clients hand back unread.
//!
//! `<stream ARN>|1|<base64>`, where the base64 holds the shard, the sequence number to read after, the time of issue, and a
//! check over all of it. A position is a sequence number and never an offset, so that trimming does not move it.

use crate::fault::{Fault, validation};
use engine::stream::Sequence;
use hmac::{Hmac, KeyInit, Mac};
use servicekit::documents::{Documents, Edit};
use sha2::Sha256;
use store::Store;
use wire::base64;
use world::{Timestamp, World};

/// How long a token is good for.
const LIFETIME_MS: u64 = 900_000;

const CHECK_BYTES: usize = 16;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Token {
    /// The stream's ARN.
    pub stream: String,
    pub shard: String,
    /// Records with a greater sequence number are still to be read; zero is the start of the shard.
    pub after: Sequence,
    pub issued: Timestamp,
}

/// The secret that tokens are checked with.
#[derive(Clone)]
pub(crate) struct Seal([u8; 32]);

impl Seal {
    /// The seal of a data directory: what was issued before a restart is good after it.
    pub fn durable(store: &Store, world: &World) -> Seal {
        let mut fresh = [0; 32];
        world.fill(&mut fresh);
        let secrets: Documents<[u8; 32]> = Documents::new(store, "dynamodb/secret");
        let kept = secrets.begin("iterator", |known| match known {
            Some(known) => Ok((Edit::Keep, known)),
            None => Ok((Edit::Put(fresh), fresh)),
        });
        // Without it tokens end with this process, which a client sees as a restart.
        Seal(kept.map_or(fresh, |(secret, _)| secret))
    }

    pub(super) fn issue(&self, token: &Token) -> String {
        let mut payload = Vec::with_capacity(64 + token.shard.len());
        payload.extend_from_slice(&token.after.0.to_be_bytes());
        payload.extend_from_slice(&token.issued.millis().to_be_bytes());
        payload.extend_from_slice(token.shard.as_bytes());
        let check = self.check(&token.stream, &payload);
        payload.extend_from_slice(&check.finalize().into_bytes()[..CHECK_BYTES]);
        format!("{}|1|{}", token.stream, base64::encode(&payload))
    }

    /// The token of a text that this seal has issued; nothing otherwise.
    fn open(&self, text: &str) -> Option<Token> {
        let (stream, rest) = text.split_once('|')?;
        let sealed = base64::decode(rest.strip_prefix("1|")?).ok()?;
        let (payload, check) = sealed.split_at_checked(sealed.len().checked_sub(CHECK_BYTES)?)?;
        self.check(stream, payload).verify_truncated_left(check).ok()?;
        let (after, payload) = payload.split_first_chunk::<8>()?;
        let (issued, shard) = payload.split_first_chunk::<8>()?;
        Some(Token {
            stream: stream.to_owned(),
            shard: std::str::from_utf8(shard).ok()?.to_owned(),
            after: Sequence(u64::from_be_bytes(*after)),
            issued: Timestamp::from_millis(u64::from_be_bytes(*issued)),
        })
    }

    /// The token of a text, which is not too old.
    pub fn good(&self, text: &str, now: Timestamp) -> Result<Token, Fault> {
        let Some(token) = self.open(text) else {
            return Err(validation("Invalid ShardIterator"));
        };
        if now.millis().saturating_sub(token.issued.millis()) > LIFETIME_MS {
            return Err(Fault::new(
                "ExpiredIteratorException",
                format!(
                    "Iterator expired. The iterator was created at time {} while right now it is {} which is further in the future than the tolerated delay of {LIFETIME_MS} milliseconds.",
                    token.issued.iso_millis(),
                    now.iso_millis()
                ),
            ));
        }
        Ok(token)
    }

    /// The text that goes on where a page of this one's shard ended.
    pub fn next(&self, token: Token, after: Sequence, now: Timestamp) -> String {
        self.issue(&Token { after, issued: now, ..token })
    }

    fn check(&self, stream: &str, payload: &[u8]) -> Hmac<Sha256> {
        // A key of any length is accepted, so this never falls back.
        let mut mac =
            Hmac::<Sha256>::new_from_slice(&self.0).unwrap_or_else(|_| Hmac::new(&Default::default()));
        mac.update(stream.as_bytes());
        mac.update(b"|");
        mac.update(payload);
        mac
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token() -> Token {
        Token {
            stream: "arn:aws:dynamodb:us-east-1:123456789012:table/T/stream/2026-11-21T01:02:03.004".into(),
            shard: "shardId-00000001573689847184-864758bb".into(),
            after: Sequence(7),
            issued: Timestamp::from_millis(1_700_000_000_123),
        }
    }

    #[test]
    fn a_token_comes_back_as_it_was() {
        let seal = Seal([7; 32]);
        let text = seal.issue(&token());
        assert!(text.starts_with(&format!("{}|1|", token().stream)));
        assert_eq!(seal.open(&text), Some(token()));
    }

    #[test]
    fn a_token_that_was_touched_is_none() {
        let seal = Seal([7; 32]);
        let text = seal.issue(&token());
        for at in 0..text.len() {
            let mut bytes = text.clone().into_bytes();
            bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
            let touched = String::from_utf8(bytes).unwrap();
            assert_eq!(seal.open(&touched), None, "{touched}");
        }
        for text in ["", "a", "a|1|", "a|1|AAAA", "||", "invalid-iterator"] {
            assert_eq!(seal.open(text), None, "{text}");
        }
        assert_eq!(Seal([8; 32]).open(&text), None);
    }
}
