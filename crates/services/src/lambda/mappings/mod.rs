//! Event source mappings: which stream drives which function, and how.

use crate::call::Call;
use crate::dispatch::Parts;
use wire::Response;

pub(crate) struct Mappings;

impl Mappings {
    pub fn new(_parts: &Parts) -> Mappings {
        Mappings
    }

    pub async fn call(&self, call: Call) -> Response {
        call.not_implemented()
    }
}
