//! Lambda: functions, and the event source mappings that call them.
//! Never starts a process itself, and never reads a stream.

mod functions;
mod mappings;

mod letter;
mod name;
mod permission;
mod registry;
mod service_calls;
mod target;
mod window;

use self::functions::Functions;
use feed::Feed;
use mappings::Mappings;
use servicekit::call::{Call, Pending};
use servicekit::house::House;
use servicekit::reply::Reply;
use store::Store;
use wire::Request;

pub use functions::url_forbidden;
pub use mappings::status as mapping_status;
pub use name::FunctionName;
pub use service_calls::{Ask, ServiceCalls, Told};
pub use target::LambdaTargets;

pub struct Lambda {
    functions: Functions,
    mappings: Mappings,
}

impl Lambda {
    pub fn new(store: &Store, targets: &LambdaTargets, feed: &Feed, house: House) -> Lambda {
        Lambda { functions: Functions::new(store, targets, house), mappings: Mappings::new(targets, feed) }
    }

    /// What lies behind a path of the server's own: a package.
    pub async fn download(&self, path: &str) -> Option<Vec<u8>> {
        self.functions.download(path).await
    }

    /// The answer to a request to a function's address; None when it is to something else.
    pub async fn call_url(&self, request: &Request) -> Option<Reply> {
        self.functions.call_url(request).await
    }

    /// The function whose address a request is to, if that asks for a signature.
    pub fn signed_url(&self, request: &Request) -> Option<String> {
        self.functions.signed_url(request)
    }

    /// An invocation whose answer is told while it is made.
    pub fn stream(&self, call: Call) -> Pending<'_, Reply> {
        Box::pin(async move {
            self.functions.invoke_streaming(&call).await.unwrap_or_else(|error| call.refuse(error).into())
        })
    }

    /// Waits until no event waits to be handed over.
    pub async fn idle(&self) {
        self.functions.idle().await;
    }

    pub fn call(&self, call: Call) -> Pending<'_> {
        match call.operation.name {
            "CreateEventSourceMapping"
            | "GetEventSourceMapping"
            | "ListEventSourceMappings"
            | "UpdateEventSourceMapping"
            | "DeleteEventSourceMapping" => self.mappings.call(call),
            "ListTags" | "TagResource" | "UntagResource"
                if call.request.path.contains("event-source-mapping") =>
            {
                self.mappings.call(call)
            }
            _ => self.functions.call(call),
        }
    }
}

#[cfg(test)]
mod points;
