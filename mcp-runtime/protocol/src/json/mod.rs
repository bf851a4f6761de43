//! JSON text that is passed on rather than read: checked once, kept as it came.

mod elements;
mod members;
mod scan;
mod text;
mod write;

pub(crate) use elements::{ElementsError, elements};
pub use members::Members;
pub(crate) use members::{is_object, string};
pub use scan::{MAX_DEPTH, MAX_OPEN_KEYS, ScanError, scan};
pub use text::JsonText;
pub(crate) use write::{ObjectWriter, array, quoted};
