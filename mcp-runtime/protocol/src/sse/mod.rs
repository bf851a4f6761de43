//! Server-sent events (WHATWG HTML, section 9.2), both ways, without I/O.

mod decode;
mod encode;

pub use decode::{Decoder, Event, EventTooLarge, MAX_EVENT_ID_BYTES};
pub use encode::{KEEP_ALIVE, encode, endpoint, prime, retry};
