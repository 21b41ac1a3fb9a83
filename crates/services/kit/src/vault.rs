//! Sealing what must not lie readable in the data directory: one key, in a file that its owner alone may read.

use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use wire::ServiceError;
use world::World;

const KEY_BYTES: usize = 32;
const NONCE_BYTES: usize = 24;
/// How a sealed value begins; a later way of sealing begins otherwise.
const FORMAT: u8 = 1;

/// Seals and opens. Cheap to clone.
#[derive(Clone)]
pub struct Vault {
    cipher: Arc<XChaCha20Poly1305>,
    world: World,
}

impl Vault {
    /// With the key in this file, which is made where there is none.
    pub fn open(path: &Path, world: &World) -> std::io::Result<Vault> {
        let key = match std::fs::read(path) {
            Ok(key) => key,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => make(path, world)?,
            Err(error) => return Err(error),
        };
        let key: [u8; KEY_BYTES] = key.try_into().map_err(|_| {
            let message = format!("{} is not a key: it should have {KEY_BYTES} bytes", path.display());
            std::io::Error::new(std::io::ErrorKind::InvalidData, message)
        })?;
        Ok(Vault::with(key, world))
    }

    /// With a key that goes with the process: of a server in memory.
    pub fn fleeting(world: &World) -> Vault {
        let mut key = [0; KEY_BYTES];
        world.fill_secret(&mut key);
        Vault::with(key, world)
    }

    fn with(key: [u8; KEY_BYTES], world: &World) -> Vault {
        Vault { cipher: Arc::new(XChaCha20Poly1305::new(&Key::from(key))), world: world.clone() }
    }

    /// `place` binds the value to where it is kept: it opens nowhere else.
    pub fn seal(&self, place: &str, value: &[u8]) -> String {
        wire::base64::encode(&self.lock(place.as_bytes(), value))
    }

    pub fn unseal(&self, place: &str, sealed: &str) -> Result<Vec<u8>, ServiceError> {
        let bytes = wire::base64::decode(sealed).ok();
        bytes.and_then(|bytes| self.unlock(place.as_bytes(), &bytes)).ok_or_else(|| {
            let message = "A kept value does not open with this server's key file: restore the file `secrets.key` that was beside the data";
            ServiceError::new("InternalServiceError", message).with_status(500)
        })
    }

    /// A vault within this one: its key is sealed by this one.
    pub fn within(&self, place: &str, sealed_key: &str) -> Result<Vault, ServiceError> {
        let key = self.unseal(place, sealed_key)?;
        let key = key.try_into().map_err(|_| crate::documents::unavailable("a key of another length"))?;
        Ok(Vault::with(key, &self.world))
    }

    /// A new key for a vault within this one, sealed.
    pub fn new_key(&self, place: &str) -> String {
        let mut key = [0; KEY_BYTES];
        self.world.fill_secret(&mut key);
        self.seal(place, &key)
    }

    pub fn lock(&self, place: &[u8], value: &[u8]) -> Vec<u8> {
        let mut nonce = [0; NONCE_BYTES];
        self.world.fill_secret(&mut nonce);
        let payload = Payload { msg: value, aad: place };
        let sealed = self
            .cipher
            .encrypt(&XNonce::from(nonce), payload)
            .expect("values are far below the cipher's bounds");
        [&[FORMAT][..], &nonce, &sealed].concat()
    }

    /// None of what was locked with another key, at another place, or was changed since.
    pub fn unlock(&self, place: &[u8], sealed: &[u8]) -> Option<Vec<u8>> {
        let (nonce, sealed) = sealed.strip_prefix(&[FORMAT])?.split_at_checked(NONCE_BYTES)?;
        let nonce: [u8; NONCE_BYTES] = nonce.try_into().ok()?;
        self.cipher.decrypt(&XNonce::from(nonce), Payload { msg: sealed, aad: place }).ok()
    }
}

/// Whole and synced before it has its name: a key that is half there would lose everything sealed with it.
fn make(path: &Path, world: &World) -> std::io::Result<Vec<u8>> {
    use std::os::unix::fs::OpenOptionsExt;
    let mut key = vec![0; KEY_BYTES];
    world.fill_secret(&mut key);
    let partial = path.with_extension("partial");
    let mut file =
        std::fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&partial)?;
    file.write_all(&key)?;
    file.sync_all()?;
    std::fs::rename(&partial, path)?;
    if let Some(dir) = path.parent() {
        std::fs::File::open(dir)?.sync_all()?;
    }
    Ok(key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn what_is_sealed_opens_with_its_key_at_its_place_only() {
        let world = World::real();
        let dir = std::env::temp_dir().join(format!("vault-test-{}", world.hex(12)));
        std::fs::create_dir_all(&dir).expect("a directory");
        let path = dir.join("secrets.key");
        let sealed = Vault::open(&path, &world).expect("a new key").seal("here", b"value");
        let again = Vault::open(&path, &world).expect("the same key");
        assert_eq!(again.unseal("here", &sealed).expect("it opens"), b"value");
        assert!(again.unseal("there", &sealed).is_err());
        assert!(Vault::fleeting(&world).unseal("here", &sealed).is_err());
        let mode = std::fs::metadata(&path).expect("the file").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        std::fs::write(&path, b"short").expect("damaged");
        assert!(Vault::open(&path, &world).is_err());
        std::fs::remove_dir_all(&dir).expect("cleaned");
    }
}
