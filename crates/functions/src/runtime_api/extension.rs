//! The Extensions API, and the APIs beside it that are not here.

use super::http::Head;
use super::{Shared, json, not_found, refusal};
use crate::extensions::Refused;
use bytes::Bytes;

/// What the listener answers on paths below `/`, of those that are not the runtime's.
pub(super) async fn answer(shared: &Shared, head: &Head, body: &Bytes) -> Vec<u8> {
    let id = head.extension_id.as_deref();
    let kind = head.error_type.as_deref();
    match (head.method.as_str(), head.path.as_str()) {
        ("POST", "/2020-01-01/extension/register") => register(shared, head, body),
        ("GET", "/2020-01-01/extension/event/next") => match shared.extensions.next(id).await {
            Ok(event) => answered(&[("Lambda-Extension-Event-Identifier", &shared.world.uuid())], &event),
            Err(why) => told(&why),
        },
        ("POST", "/2020-01-01/extension/init/error" | "/2020-01-01/extension/exit/error") => {
            match shared.extensions.fail(id, kind, body) {
                Ok(()) => json("202 Accepted", r#"{"status":"OK"}"#),
                Err(why) => told(&why),
            }
        }
        // Accepted and not carried out would be a lie; these words are what extensions know from local runtimes.
        ("PUT", "/2022-07-01/telemetry") => {
            json("202 Accepted", &refusal("Telemetry API is not supported", "Telemetry.NotSupported"))
        }
        ("PUT", "/2020-08-15/logs") => {
            json("202 Accepted", &refusal("Logs API is not supported", "Logs.NotSupported"))
        }
        _ => not_found(),
    }
}

fn register(shared: &Shared, head: &Head, body: &Bytes) -> Vec<u8> {
    let id = shared.world.uuid();
    match shared.extensions.register(head.extension_name.as_deref(), body, id) {
        Ok(registered) => {
            answered(&[("Lambda-Extension-Identifier", &registered.id)], shared.about.as_bytes())
        }
        Err(why) => told(&why),
    }
}

fn told(why: &Refused) -> Vec<u8> {
    json(why.status, &refusal(&why.message, why.kind))
}

fn answered(headers: &[(&str, &str)], body: &[u8]) -> Vec<u8> {
    let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n{headers}\r\n"
    );
    [head.as_bytes(), body].concat()
}
