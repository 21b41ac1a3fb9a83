//! Tokens of an issuer: whether they are good, and what they claim.

use super::{Issuer, Source};
use crate::visit::Visit;
use ring::signature::{self, RsaParameters, RsaPublicKeyComponents};
use serde_json::{Map, Value, json};
use world::World;

const TOKEN_BYTES_MAX: usize = 8_192;

pub(crate) struct JwtAuthorizer {
    pub source: Source,
    pub audience: Vec<String>,
    pub issuer: Issuer,
}

/// Who brings a good token.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Bearer {
    claims: Map<String, Value>,
    /// Of the route and of the token.
    scopes: Vec<String>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// There is no token.
    Missing,
    /// In the words of the answer's header.
    Invalid(&'static str),
    /// Good, and not for this.
    Scope,
}

/// A public key of an issuer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Key {
    pub id: Option<String>,
    pub modulus: Vec<u8>,
    pub exponent: Vec<u8>,
}

impl JwtAuthorizer {
    pub async fn judge(
        &self,
        world: &World,
        visit: &Visit<'_>,
        context: &Value,
        scopes: &[String],
    ) -> Result<Bearer, Refused> {
        let token = self.source.read(visit, context).ok_or(Refused::Missing)?;
        let token = token.strip_prefix("Bearer ").or(token.strip_prefix("bearer ")).unwrap_or(&token).trim();
        let token = Token::read(token).ok_or(Refused::Invalid("the token is malformed"))?;
        let keys = self.issuer.keys(world, token.key.as_deref()).await;
        let keys = keys.map_err(|_| Refused::Invalid("OIDC discovery endpoint communication error"))?;
        if !keys.iter().any(|key| token.is_signed_with(key)) {
            return Err(Refused::Invalid("signature verification failed"));
        }
        token.check(&self.issuer.name, &self.audience, world.now().seconds())?;
        token.bearer(scopes)
    }
}

struct Token<'a> {
    algorithm: &'static RsaParameters,
    key: Option<String>,
    claims: Map<String, Value>,
    signed: &'a [u8],
    signature: Vec<u8>,
}

impl Token<'_> {
    fn read(text: &str) -> Option<Token<'_>> {
        let (signed, signature) = text.rsplit_once('.').filter(|_| text.len() <= TOKEN_BYTES_MAX)?;
        let (head, claims) = signed.split_once('.')?;
        let part = |text: &str| serde_json::from_slice::<Map<String, Value>>(&decoded(text)?).ok();
        let head = part(head)?;
        let algorithm = match head.get("alg")?.as_str()? {
            "RS256" => &signature::RSA_PKCS1_2048_8192_SHA256,
            "RS384" => &signature::RSA_PKCS1_2048_8192_SHA384,
            "RS512" => &signature::RSA_PKCS1_2048_8192_SHA512,
            _ => return None,
        };
        let key = head.get("kid").and_then(Value::as_str).map(str::to_owned);
        let (claims, signature) = (part(claims)?, decoded(signature)?);
        Some(Token { algorithm, key, claims, signed: signed.as_bytes(), signature })
    }

    fn is_signed_with(&self, key: &Key) -> bool {
        let parts = RsaPublicKeyComponents { n: &key.modulus, e: &key.exponent };
        let meant = self.key.is_none() || self.key == key.id;
        meant && parts.verify(self.algorithm, self.signed, &self.signature).is_ok()
    }

    fn check(&self, issuer: &str, audience: &[String], now_s: u64) -> Result<(), Refused> {
        let text = |name: &str| self.claims.get(name).and_then(Value::as_str);
        let time = |name: &str| self.claims.get(name).and_then(Value::as_f64);
        if text("iss") != Some(issuer) {
            return Err(Refused::Invalid("the iss claim does not match"));
        }
        let named = match self.claims.get("aud") {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).collect(),
            Some(one) => one.as_str().into_iter().collect::<Vec<_>>(),
            // Access tokens of some issuers name the client only.
            None => text("client_id").into_iter().collect(),
        };
        if !named.iter().any(|name| audience.iter().any(|own| own == name)) {
            return Err(Refused::Invalid("invalid audience"));
        }
        let now_s = now_s as f64;
        if time("exp").is_none_or(|at_s| at_s <= now_s) {
            return Err(Refused::Invalid("the token has expired"));
        }
        if time("nbf").is_some_and(|at_s| at_s > now_s) || time("iat").is_some_and(|at_s| at_s > now_s) {
            return Err(Refused::Invalid("the token is not yet valid"));
        }
        Ok(())
    }

    fn bearer(self, wanted: &[String]) -> Result<Bearer, Refused> {
        let own: Vec<String> = match self.claims.get("scope").or(self.claims.get("scp")) {
            Some(Value::Array(all)) => all.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
            Some(one) => one.as_str().unwrap_or_default().split(' ').map(str::to_owned).collect(),
            None => Vec::new(),
        };
        let scopes: Vec<String> = wanted.iter().filter(|scope| own.contains(scope)).cloned().collect();
        if scopes.is_empty() && !wanted.is_empty() {
            return Err(Refused::Scope);
        }
        Ok(Bearer { claims: self.claims, scopes })
    }
}

impl Bearer {
    /// As functions are told: every claim is a text.
    pub fn told(&self) -> Value {
        fn text(value: &Value) -> String {
            match value {
                Value::String(text) => text.clone(),
                Value::Array(all) => format!("[{}]", all.iter().map(text).collect::<Vec<_>>().join(" ")),
                other => other.to_string(),
            }
        }
        let claims = self.claims.iter().map(|(name, value)| (name.clone(), text(value).into()));
        let scopes = (!self.scopes.is_empty()).then_some(&self.scopes);
        json!({ "claims": Value::Object(claims.collect()), "scopes": scopes })
    }
}

/// Base64 in the form for URLs, which has no padding.
pub(super) fn decoded(text: &str) -> Option<Vec<u8>> {
    let plain = text.trim_end_matches('=').replace('-', "+").replace('_', "/");
    let padding = "=".repeat(plain.len().next_multiple_of(4) - plain.len());
    wire::base64::decode(&(plain + &padding)).ok()
}

#[cfg(test)]
mod tests {
    use super::{Bearer, Key, Refused, Token};
    use crate::authorizer::issuer::keys_in;
    use serde_json::{Value, json};

    /// A key pair's public half, and tokens that the private half has signed.
    fn fixture() -> (Vec<Key>, Value) {
        let all: Value = serde_json::from_str(include_str!("fixtures/tokens.json")).expect("a fixture");
        (keys_in(&all["jwks"]).expect("keys"), all)
    }

    fn judged(token: &str, keys: &[Key], scopes: &[&str]) -> Result<Bearer, Refused> {
        let token = Token::read(token).ok_or(Refused::Invalid("malformed"))?;
        if !keys.iter().any(|key| token.is_signed_with(key)) {
            return Err(Refused::Invalid("signature"));
        }
        token.check("http://issuer.test/", &["pets".to_owned()], 1_800_000_000)?;
        token.bearer(&scopes.iter().map(|scope| (*scope).to_owned()).collect::<Vec<_>>())
    }

    #[test]
    fn a_good_token_is_told_as_texts() {
        let (keys, all) = fixture();
        assert_eq!(keys.len(), 1, "keys of other kinds are of no use");
        for (name, scopes, told) in [
            ("good", &[][..], Value::Null),
            ("good", &["write", "other"][..], json!(["write"])),
            ("rs512", &["read"][..], json!(["read"])),
            ("client", &["read"][..], json!(["read"])),
        ] {
            let bearer = judged(all[name].as_str().expect(name), &keys, scopes).expect(name);
            assert_eq!(bearer.told()["scopes"], told, "{name}");
        }
        let told = judged(all["good"].as_str().expect("one"), &keys, &[]).expect("good").told();
        let claims = json!({"sub": "ann", "admin": "true", "groups": "[a b]", "exp": "4102444800"});
        for (name, value) in claims.as_object().expect("claims") {
            assert_eq!(told["claims"][name], *value);
        }
    }

    #[test]
    fn others_are_refused() {
        let (keys, all) = fixture();
        for (name, why) in [
            ("expired", "the token has expired"),
            ("audience", "invalid audience"),
            ("issuer", "the iss claim does not match"),
            ("early", "the token is not yet valid"),
            ("unsigned", "malformed"),
            ("stranger", "signature"),
        ] {
            let judged = judged(all[name].as_str().expect(name), &keys, &[]);
            assert_eq!(judged, Err(Refused::Invalid(why)), "{name}");
        }
        let good = all["good"].as_str().expect("one");
        assert_eq!(judged(good, &keys, &["admin"]), Err(Refused::Scope));
        // Another token's claims under this one's signature.
        let other = all["client"].as_str().expect("one").split('.').nth(1).expect("claims");
        let parts: Vec<&str> = good.split('.').collect();
        let mixed = [parts[0], other, parts[2]].join(".");
        assert_eq!(judged(&mixed, &keys, &[]), Err(Refused::Invalid("signature")));
        for text in ["", "a.b", "a.b.c", "..", &good[..good.len() / 2]] {
            assert_eq!(judged(text, &keys, &[]), Err(Refused::Invalid("malformed")), "{text}");
        }
    }
}
