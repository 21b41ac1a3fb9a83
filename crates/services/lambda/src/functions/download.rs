//! Links to packages: good for ten minutes, and for whoever has one.

use super::Functions;
use hmac::{Hmac, KeyInit, Mac};
use servicekit::call::Call;
use sha2::Sha256;
use std::time::Duration;
use world::World;

const GOOD_FOR: Duration = Duration::from_secs(600);
/// Where links lead, on this server.
const PATH: &str = "/_millstream/code/";

/// Makes links and knows its own. Links do not outlive the server.
pub(super) struct Links {
    key: [u8; 32],
}

impl Links {
    pub fn new(world: &World) -> Links {
        let mut key = [0; 32];
        world.fill(&mut key);
        Links { key }
    }

    fn path(&self, sha256: &str, until_ms: u64) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).expect("any key will do");
        mac.update(format!("{sha256}/{until_ms}").as_bytes());
        let seal: String = mac.finalize().into_bytes().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{sha256}/{until_ms}/{seal}")
    }

    /// The package that a link names, if it is one of ours and still good.
    fn open<'a>(&self, rest: &'a str, now_ms: u64) -> Option<&'a str> {
        let (sha256, sealed) = rest.split_once('/')?;
        let (until, _) = sealed.split_once('/')?;
        let until_ms = until.parse().ok()?;
        (now_ms <= until_ms && self.path(sha256, until_ms) == rest).then_some(sha256)
    }
}

impl Functions {
    /// A link to a package on the host that the caller has reached us by.
    pub(super) fn link(&self, call: &Call, sha256: &str) -> String {
        let until_ms = self.world.now().millis() + GOOD_FOR.as_millis() as u64;
        format!("{}{PATH}{}", self.origin(call), self.links.path(sha256, until_ms))
    }

    /// `http://host:port` of this server, as the caller knows it.
    pub(super) fn origin(&self, call: &Call) -> String {
        let host = call.request.headers.get("host").and_then(|host| host.to_str().ok());
        match host {
            Some(host) => format!("http://{host}"),
            None => self.functions.endpoint().to_owned(),
        }
    }

    /// The package behind a link's path.
    pub(crate) async fn download(&self, path: &str) -> Option<Vec<u8>> {
        let sha256 = self.links.open(path.strip_prefix(PATH)?, self.world.now().millis())?.to_owned();
        let functions = self.functions.clone();
        tokio::task::spawn_blocking(move || functions.code(&sha256)).await.ok()?.ok()
    }
}

#[cfg(test)]
mod tests {
    use super::Links;
    use world::World;

    #[test]
    fn a_link_is_good_once_made_until_it_is_old() {
        let links = Links::new(&World::simulated(3));
        let path = links.path("abc", 1_000);
        assert_eq!(links.open(&path, 1_000), Some("abc"));
        assert_eq!(links.open(&path, 1_001), None);
        assert_eq!(links.open(&path.replace("abc", "abd"), 10), None);
        assert_eq!(links.open(&path.replace("1000", "9000"), 10), None);
        assert_eq!(links.open("abc", 10), None);
    }
}
