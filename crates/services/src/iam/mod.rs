//! Identity and Access Management.

use crate::call::Call;
use crate::dispatch::Parts;
use wire::Response;

pub(crate) struct Iam;

impl Iam {
    pub fn new(_parts: &Parts) -> Iam {
        Iam
    }

    pub async fn call(&self, call: Call) -> Response {
        call.not_implemented()
    }
}
