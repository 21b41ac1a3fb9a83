//! The first thing a request meets: whether it is signed by whom it says.

use crate::keys::{Identity, Keys};
use servicekit::Mode;
use wire::sigv4::{Scope, lenient, same, scope, verify};
use wire::{Protocol, Request, Service, ServiceError};
use world::World;

pub struct Gate {
    pub mode: Mode,
    pub keys: Keys,
    world: World,
}

impl Gate {
    pub fn new(mode: Mode, keys: Keys, world: &World) -> Gate {
        Gate { mode, keys, world: world.clone() }
    }

    /// The scope of a request that may pass, and whose it is where that was checked.
    pub fn admit<'a>(
        &self,
        mode: Mode,
        request: &'a Request,
        service: &Service,
    ) -> Result<(Scope<'a>, Option<Identity>), ServiceError> {
        if mode == Mode::Lenient {
            return lenient(request, service).map(|scope| (scope, None));
        }
        let now = self.world.now();
        let known = match scope(request) {
            Some(scope) => self.keys.find(&scope.access_key)?,
            None => None,
        };
        if known.as_ref().and_then(|known| known.expires_s).is_some_and(|end| end <= now.seconds()) {
            return Err(expired(service));
        }
        let secrets = |_: &str, token: Option<&str>| {
            let known = known.as_ref().filter(|known| known.is_active)?;
            let (token, wanted) = (token.unwrap_or_default(), known.token.as_deref().unwrap_or_default());
            same(token.as_bytes(), wanted.as_bytes()).then(|| known.secret.clone())
        };
        let scope = verify(request, service, &secrets, now)?;
        Ok((scope, known.map(|known| known.identity)))
    }
}

impl Gate {
    /// The same of a link to storage that is signed in another way: `is_signed_with` knows it.
    pub fn admit_by<'a>(
        &self,
        scope: Scope<'a>,
        is_signed_with: impl Fn(&str) -> bool,
    ) -> Result<(Scope<'a>, Option<Identity>), ServiceError> {
        let refused =
            |code: &'static str, message: &str| Err(ServiceError::new(code, message).with_status(403));
        let known = self.keys.find(&scope.access_key)?.filter(|known| known.is_active);
        let Some(known) = known else {
            let message = "The AWS Access Key Id you provided does not exist in our records.";
            return refused("InvalidAccessKeyId", message);
        };
        if known.expires_s.is_some_and(|end| end <= self.world.now().seconds()) {
            return refused("ExpiredToken", "The provided token has expired.");
        }
        let (token, wanted) =
            (scope.session_token.as_deref().unwrap_or_default(), known.token.as_deref().unwrap_or_default());
        if !same(token.as_bytes(), wanted.as_bytes()) {
            return refused("InvalidToken", "The provided token is malformed or otherwise invalid.");
        }
        if !is_signed_with(&known.secret) {
            let message = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.";
            return refused("SignatureDoesNotMatch", message);
        }
        Ok((scope, Some(known.identity)))
    }
}

/// A session's end in the words of each protocol.
fn expired(service: &Service) -> ServiceError {
    let message = "The security token included in the request is expired";
    match service.protocol {
        Protocol::Json10 | Protocol::Json11 => {
            ServiceError::new("com.amazon.coral.service#ExpiredTokenException", message).with_status(400)
        }
        Protocol::RestJson => ServiceError::new("ExpiredTokenException", message).with_status(403),
        Protocol::Ec2 => ServiceError::new("RequestExpired", "Request has expired.").with_status(400),
        _ => ServiceError::new("ExpiredToken", message).with_status(403),
    }
}
