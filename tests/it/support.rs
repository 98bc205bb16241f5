//! Small real servers, and the real binary, for tests.

pub mod clock;
mod folder_store;
pub mod hang;
pub mod http;
pub mod names;
pub mod notification;
pub mod openapi;
pub mod own_server;
pub mod proxy;
pub mod schema;
pub mod service_manager;
pub mod setup;
pub mod smtp;
#[path = "../../src/store/fixture/test_server.rs"]
pub mod test_server;
pub mod tidings;
pub mod tls;
pub mod wire;

use std::time::Duration;

/// The deadline of every wait. It is generous, because it only ends tests that have failed.
pub const DEADLINE: Duration = Duration::from_mins(1);
