//! APIs made as clients make them, in front of functions that really run.

mod authorizers;
mod failures;
mod http_apis;
mod plans;
mod rest_apis;
mod upstream;
