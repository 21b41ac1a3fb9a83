//! Functions: code, configuration, invocation.

use crate::call::Call;
use crate::dispatch::Parts;
use wire::Response;

pub(crate) struct Functions;

impl Functions {
    pub fn new(_parts: &Parts) -> Functions {
        Functions
    }

    pub async fn call(&self, call: Call) -> Response {
        call.not_implemented()
    }
}
