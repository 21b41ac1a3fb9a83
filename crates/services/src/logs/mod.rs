//! CloudWatch Logs.

use crate::call::Call;
use crate::dispatch::Parts;
use wire::Response;

pub(crate) struct Logs;

impl Logs {
    pub fn new(_parts: &Parts) -> Logs {
        Logs
    }

    pub async fn call(&self, call: Call) -> Response {
        call.not_implemented()
    }
}
